/** No secret in any line, whatever it looks like; what is none stays readable. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRedactor } from '../../src/lib/redact.ts'

const SECRETS = ['tok-4711-operator', 'p@ss/w"rd+1', 'abc', null, '', 'first line of a key\nsecond line of it']
const redactor = createRedactor(SECRETS)

const HIDDEN: [text: string, shown: string][] = [
  ['token is tok-4711-operator!', 'token is ***!'],
  ['twice tok-4711-operatortok-4711-operator', 'twice ******'],
  ['plain p@ss/w"rd+1', 'plain ***'],
  [JSON.stringify({ note: 'p@ss/w"rd+1' }), '{"note":"***"}'],
  [`redis://x:${encodeURIComponent('p@ss/w"rd+1')}@h:1/0`, 'redis://x:***@h:1/0'],
  ['second line of it', '***'],
  ['a short one abc stands alone', 'a short one *** stands alone'],
  ['Authorization: Bearer eyJhbGciOi.J9-x_y~z==', 'Authorization: Bearer ***'],
  ['basic dXNlcjpwYXNz', 'basic ***'],
  ['with sk-proj-abcDEF123456_789', 'with sk-***'],
  ['GET /login?token=onetime&x=1', 'GET /login?token=***&x=1'],
  ['ws://h/ws?v=2&ticket=abcdef', 'ws://h/ws?v=2&ticket=***'],
  ['OPENAI_API_KEY=verysecret', 'OPENAI_API_KEY=***'],
  ['password: hunter2', 'password: ***'],
  ['{"apiKey":"verysecret","a":1}', '{"apiKey":"***","a":1}'],
  ['"{\\"password\\":\\"verysecret\\"}"', '"{\\"password\\":\\"***\\"}"'],
  ['postgres://me:verysecret@db/x', 'postgres://me:***@db/x'],
]

for (const [text, shown] of HIDDEN) test(`hides: ${shown}`, () => assert.equal(redactor.clean(text), shown))

const HARMLESS = [
  'tokens_used: 150, 12 tokens/s, token count 5',
  'io-1 │ abcdef is no secret, nor is xabc',
  'http://127.0.0.1:8000/status and redis://127.0.0.1:1/0',
  'Unexpected token < in JSON at position 0',
  'the password is wrong',
  'risk-assessment-of-many-words',
]

for (const text of HARMLESS) test(`leaves: ${text}`, () => assert.equal(redactor.clean(text), text))

test('cleaning twice changes nothing', () => {
  for (const [text] of HIDDEN) assert.equal(redactor.clean(redactor.clean(text)), redactor.clean(text))
})

test('a secret can be told later; links of our own keep theirs', () => {
  const later = createRedactor()
  const text = 'http://h/login?token=once and made-up-password'
  assert.equal(later.cleanKnown(text), text)
  later.add('made-up-password')
  assert.equal(later.cleanKnown(text), 'http://h/login?token=once and ***')
})
