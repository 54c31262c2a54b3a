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
  ['Basic dXNlcjpwYXNzd29yZA== was refused', 'Basic *** was refused'],
  // As util.inspect writes objects, headers, lists and maps.
  [
    "{ apiKey: 'AIzaSyA-1234', password: 'hunter22', token: 'tok_live_1', n: 1 }",
    "{ apiKey: '***', password: '***', token: '***', n: 1 }",
  ],
  ['password: "hunter22"', 'password: "***"'],
  ["headers: { authorization: 'Token 9944b091', host: 'h' }", "headers: { authorization: '***', host: 'h' }"],
  ["'set-cookie': [ 'sid=abc; Path=/', 'other=def' ], host: 'h'", "'set-cookie': [ '***', '***' ], host: 'h'"],
  ["Map(1) { 'client_secret' => 'hunter22' }", "Map(1) { 'client_secret' => '***' }"],
  ["{ user: 'a', pass: 'hunter22' }", "{ user: 'a', pass: '***' }"],
  ["{ password: 'it\\'s long', a: 'b' }", "{ password: '***', a: 'b' }"],
  ['{ password: `hunter 22` }', '{ password: `***` }'],
  // JSON, and JSON in JSON, whatever the value holds.
  ['{"password":"it\'s-long"}', '{"password":"***"}'],
  ...["it's-long", 'with "quotes" and \\', '\\', '"', '\\"', 'a, b: {c}'].flatMap((password) => {
    const [value, shown] = [
      { password, n: 1 },
      { password: '***', n: 1 },
    ].map((part) => JSON.stringify(part))
    return [0, 1, 2, 3].map((depth): [string, string] => [nested(value!, depth), nested(shown!, depth)])
  }),
  ['{"password": "cut in the midd', '{"password": "***'],
  ['{"message":"password: \\"cut","a":1}', '{"message":"password: \\"***","a":1}'],
  // As they stand in requests.
  ['Cookie: sid=abc; theme=dark', 'Cookie: ***'],
  ['> Set-Cookie: sid=abc; HttpOnly from h', '> Set-Cookie: *** from h'],
  ['Authorization: Token 9944b091', 'Authorization: Token ***'],
  ['authorization=9944b091 for h', 'authorization=*** for h'],
  ['Authorization: AWS4-HMAC-SHA256 Credential=a/b, Signature=fe5f, and', 'Authorization: AWS4-HMAC-SHA256 ***, and'],
  ['GET /v1/models?key=AIzaSyA-1234&alt=sse', 'GET /v1/models?key=***&alt=sse'],
  ['https://h/x?a=1&X-Amz-Signature=fe5f#top', 'https://h/x?a=1&X-Amz-Signature=***#top'],
  ['AWS_SECRET_ACCESS_KEY=a/b+c STRIPE_KEY=x,y', 'AWS_SECRET_ACCESS_KEY=*** STRIPE_KEY=***'],
  ['password = hunter22', 'password = ***'],
  // Keys that are known by how they begin.
  [`used AIza${'Sy1'.repeat(10)}`, 'used AIza***'],
  [`used ghp_${'a1'.repeat(18)}`, 'used ghp_***'],
  ['got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig-1', 'got eyJ***'],
]

/** JSON in a string of JSON, and so on. */
function nested(json: string, depth: number): string {
  return depth === 0 ? json : nested(JSON.stringify(json), depth - 1)
}

for (const [text, shown] of HIDDEN) test(`hides: ${shown}`, () => assert.equal(redactor.clean(text), shown))

const HARMLESS = [
  'tokens_used: 150, 12 tokens/s, token count 5',
  'io-1 │ abcdef is no secret, nor is xabc',
  'http://127.0.0.1:8000/status and redis://127.0.0.1:1/0',
  'Unexpected token < in JSON at position 0',
  'the password is wrong',
  'risk-assessment-of-many-words',
  'a basic example of prose, basic authentication, basic configuration',
  'a bearer token, bearer tokens, Bearer authentication, WWW-Authenticate: Bearer realm="x"',
  'password: null, token: undefined, secret=false',
  "{ password: '', key: 'io-1', tokens: 'many', secretary: 'Ann' }",
  'if (token === undefined) token => call(token)',
  '{"key":"shot-1","cookies":3,"total_tokens":5}',
  'cookie: a small cake',
  '/stories?keyboard=1&author=x',
  'hf_story_telling and xox and eyJ',
]

for (const text of HARMLESS) test(`leaves: ${text}`, () => assert.equal(redactor.clean(text), text))

test('cleaning twice changes nothing', () => {
  for (const [text] of HIDDEN) assert.equal(redactor.clean(redactor.clean(text)), redactor.clean(text))
})

const MB = 1024 * 1024
/** What rules that go back and forth would need minutes for. */
const COSTLY = [
  'password',
  'password:',
  'password: "',
  '"password":"\\',
  'password\\',
  'password ',
  'set-cookie: [',
  "cookie: ['a', ",
  'cookie: a=b; ',
  'cookie:a=',
  'authorization: ',
  'authorization:a,b=',
  'basic ',
  'basic aaaaaa-',
  'bearer ',
  '://',
  '://a:',
  '?a.',
  '?key=',
  'A_KEY',
  'A_KEY=',
  'eyJ-',
  'eyJaaaaaaaa.',
  'sk-',
  'ghp_',
  '\\"',
]

test('a line of a megabyte is cleaned in time that grows with its length', () => {
  const startMs = performance.now()
  for (const part of COSTLY)
    for (const [before, after] of [
      [part, ''],
      [`${part}x`, ''],
      ['password', part],
      ['authorization:a ', part],
    ] as const) {
      const length = before.length + after.length
      redactor.clean(after === '' ? before.repeat(MB / length) : before + after.repeat(MB / after.length))
    }
  for (const one of [' ', '\\', 'a', 'A', '-', ';', ',', '[', '"'])
    for (const start of ['password', 'cookie: a=', 'authorization: a', 'basic ', '://', '?', 'A_'])
      redactor.clean(start + one.repeat(MB))
  const ms = performance.now() - startMs
  assert.ok(ms < 120_000, `${Math.round(ms)} ms`)
})

test('a secret can be told later; links of our own keep theirs', () => {
  const later = createRedactor()
  const text = 'http://h/login?token=once and made-up-password'
  assert.equal(later.cleanKnown(text), text)
  later.add('made-up-password')
  assert.equal(later.cleanKnown(text), 'http://h/login?token=once and ***')
})
