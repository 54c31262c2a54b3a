import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../../src/lib/errors.ts'
import { isRetryable } from '../../src/pipelines/retry.ts'

const withFacts = (facts: object) => Object.assign(new Error('x'), facts)

const CASES: [string, unknown, boolean][] = [
  ...[408, 409, 425, 429, 500, 502, 503, 504, 529].map(
    (s) => [`status ${s}`, withFacts({ status: s }), true] as [string, unknown, boolean],
  ),
  ...[400, 401, 403, 404, 413, 422].map(
    (s) => [`status ${s}`, withFacts({ status: s }), false] as [string, unknown, boolean],
  ),
  ['statusCode', withFacts({ statusCode: 503 }), true],
  ['reset', withFacts({ code: 'ECONNRESET' }), true],
  ['a fetch that was cut off', new TypeError('terminated', { cause: withFacts({ code: 'UND_ERR_SOCKET' }) }), true],
  ['no such file', withFacts({ code: 'ENOENT' }), false],
  ['time-out of a signal', new DOMException('late', 'TimeoutError'), true],
  ['says so itself', withFacts({ retryable: true }), true],
  ['says no, whatever its status', withFacts({ retryable: false, status: 503 }), false],
  ['our time-out', new AppError('timeout', 'late'), true],
  ['our failure', new AppError('program_failed', 'no'), false],
  ['our failure that time can heal', new AppError('program_failed', 'no', { retryable: true }), true],
  ['a bug', new TypeError('x is not a function'), false],
  ['a string', 'busy', false],
  ['undefined', undefined, false],
]

for (const [name, error, expected] of CASES) {
  test(`${name}: ${expected ? 'again' : 'not again'}`, () => assert.equal(isRetryable(error), expected))
}
