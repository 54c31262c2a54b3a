import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../../src/lib/errors.ts'
import { type ProviderWait, waitFor } from '../../src/pipelines/wait.ts'

const NOW = Date.parse('2026-01-01T00:00:00.000Z')
const clock = { nowMs: NOW, random: () => 0 }
const said = (details: Record<string, unknown>) => new AppError('unavailable', 'busy', { details })
const at = (ms: number) => new Date(NOW + ms).toISOString()

const CASES: [string, unknown, number, ProviderWait | undefined][] = [
  ['a plain error', new Error('429'), 0, undefined],
  ['an error of another class', said({ class: 'transient', retry_after_ms: 5 }), 0, undefined],
  [
    'a wait that was named',
    said({ class: 'rate_limit', retry_after_ms: 30_000 }),
    0,
    { kind: 'later', dueMs: NOW + 30_000 },
  ],
  ['a wait without a time', said({ class: 'rate_limit' }), 0, { kind: 'later', dueMs: NOW + 5_000 }],
  [
    'the longest pause',
    said({ class: 'rate_limit', retry_after_ms: 600_000 }),
    19,
    { kind: 'later', dueMs: NOW + 600_000 },
  ],
  [
    'more than ten minutes',
    said({ class: 'rate_limit', retry_after_ms: 600_001 }),
    0,
    { kind: 'park', until: at(600_001) },
  ],
  ['too many waits', said({ class: 'rate_limit', retry_after_ms: 1_000 }), 20, { kind: 'park', until: at(1_000) }],
  [
    'a quota that is known to come back',
    said({ class: 'quota_exhausted', resets_at: at(9) }),
    0,
    { kind: 'park', until: at(9) },
  ],
  ['a quota that is not', said({ class: 'quota_exhausted' }), 0, { kind: 'park', until: null }],
]

for (const [name, error, waits, expected] of CASES) {
  test(name, () => assert.deepEqual(waitFor(error, waits, clock), expected))
}

test('those that wait for the same moment do not come back in the same moment', () => {
  const late = waitFor(said({ class: 'rate_limit', retry_after_ms: 1_000 }), 0, { nowMs: NOW, random: () => 0.5 })
  assert.deepEqual(late, { kind: 'later', dueMs: NOW + 1_050 })
})
