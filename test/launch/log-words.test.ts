/** Log lines for people. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prettyLine } from '../../src/launch/log-words.ts'

const plain = (_style: unknown, text: string) => text

test('what a process says comes with its values, what the supervisor says is a sentence', () => {
  const spoken = { level: 'info', message: 'io-1 is ready, 1307 ms after its start' } as const
  const facts = { event: 'child_ready', ms: 1307, facts: null }
  assert.equal(
    prettyLine('supervisor', { ...spoken, stream: 'fact', facts }, plain),
    'supervisor │ io-1 is ready, 1307 ms after its start',
  )
  assert.equal(
    prettyLine('io-1', { level: 'warn', message: 'careful', stream: 'stdout', facts: { stage: 'film', n: 1 } }, plain),
    'io-1       │ careful stage=film n=1',
  )
})
