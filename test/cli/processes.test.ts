/** How `status` and `workers` word the ends of processes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WorkerProcess } from '../../src/api/schemas/workers.ts'
import { statusText } from '../../src/cli/status.ts'
import { workersText } from '../../src/cli/workers.ts'
import { workerProcess } from '../api/fake-workforce.ts'

const AT = '2026-11-23T14:02:11.000Z'
const plain = { paint: (_: unknown, text: string) => text }
const exit78 = { reason: 'exited with code 78', at: AT, code: 78, signal: null }
const down: Partial<WorkerProcess> = {
  pid: null,
  alive: false,
  ready: false,
  restarts: 0,
  last_exit: exit78,
  active: [],
}

const NOTES: [string, Partial<WorkerProcess>, string | undefined][] = [
  [
    'parked at its first exit',
    { ...down, phase: 'parked' },
    `io-1 exited with code 78 (${AT}) and is not kept running; explain io-1 says why, restart io-1 tries again`,
  ],
  [
    'in its first pause',
    { ...down, phase: 'backoff' },
    `io-1 exited with code 78 (${AT}); it is started again by itself`,
  ],
  [
    'back once',
    { restarts: 1, last_exit: exit78 },
    `io-1 was started again once; before, it exited with code 78 (${AT})`,
  ],
  [
    'back twice',
    { restarts: 2, last_exit: exit78 },
    `io-1 was started again 2 times; before, it exited with code 78 (${AT})`,
  ],
  ['replaced as planned', { restarts: 1, last_exit: null }, undefined],
]
for (const [what, changes, note] of NOTES)
  test(`workers: of one that is ${what}`, () => {
    const text = workersText([{ ...workerProcess(), ...changes }], plain)
    assert.equal(text.split('\n')[2], note)
  })

const STATES: [string, Partial<WorkerProcess>, string][] = [
  ['replaced as planned', { restarts: 1, last_exit: null }, 'ready, 80 MB, up 1 min 1 s, 1 restart, shout of p1'],
  [
    'back twice',
    { restarts: 2, last_exit: exit78 },
    'ready, 80 MB, up 1 min 1 s, 2 restarts, last exit: exited with code 78, shout of p1',
  ],
  [
    'parked at its first exit',
    { ...down, phase: 'parked', rss_bytes: 0, uptime_s: 0 },
    'down, last exit: exited with code 78',
  ],
]
for (const [what, changes, says] of STATES)
  test(`status: of one that is ${what}`, () => {
    const worker = { ...workerProcess(), ...changes }
    const last_exit = worker.last_exit?.reason ?? null
    const services = {
      redis: { running: true, process: true, mode: 'spawned' as const, pid: 1, latency_ms: 0.3 },
      worker: { process: true, alive: true, workers: [{ ...worker, last_exit }] },
      scheduler: { process: true, alive: true, pid: 2, restarts: 0 },
      beat: { process: true, alive: true },
    }
    const projects = { running: 0, interrupted: 0, failed: 0 }
    const rest = { version: '1', pid: 1, uptime_s: 1, services, queues: {}, projects }
    const text = statusText({ status: 'healthy', message: 'well', ...rest }, { url: 'http://x', out: plain })
    assert.match(text, new RegExp(`. {2}io-1 +${says}\n`))
  })
