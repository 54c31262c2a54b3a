/** What `explain` prints of what others have said. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Explanation } from '../../src/api/schemas/explanation.ts'
import { explanationText } from '../../src/cli/explain.ts'

const ORDERS = '\u001b]0;mine\u0007\u001b[2J\u009b31m\rgone\b'

test('nothing that a process has printed gives orders to the terminal', () => {
  const entry = { id: 1, at: '2026-11-23T14:02:11Z', run: 'r1', process: 'io-1', cause: null, facts: {} }
  const told: Explanation = {
    process: 'io-1',
    state: 'parked',
    since: entry.at,
    summary: `io-1 ended, because it said ${ORDERS}.`,
    chain: [{ ...entry, event: 'exited', text: `io-1 ended: ${ORDERS}` }],
    history: [{ ...entry, id: 2, event: 'parked', text: `io-1 is not started again: ${ORDERS}` }],
    last_lines: [`printed ${ORDERS}`, 'a\tb'],
    last_exit: null,
  }
  const text = explanationText(told, { paint: (style, words) => `<${style}>${words}</>` })
  assert.doesNotMatch(text, /[\p{Cc}--[\t\n]]/v)
  assert.equal(text.split('mine').length, 5, 'the words themselves are there')
  assert.match(text, / {2}a\tb$/)
})

test('the output shown for a moment says before which end it was printed', () => {
  const at = new Date(2026, 10, 23, 14, 2, 11)
  const told: Explanation = {
    ...{ process: 'io-1', state: 'ready', since: at.toISOString(), summary: 'io-1 ended.', chain: [], history: [] },
    last_lines: ['out of ideas'],
    last_exit: { reason: 'exited with code 1', at: at.toISOString(), code: 1, signal: null },
  }
  const paint = (_: unknown, words: string) => words
  const nowMs = at.getTime() + 60_000
  const text = explanationText(told, { paint }, { nowMs, ofMoment: true })
  assert.equal(text, 'io-1 ended.\n\nits last output before 14:02:11:\n  out of ideas')
  assert.match(explanationText(told, { paint }, { nowMs }), /\nits last output:\n/)
})
