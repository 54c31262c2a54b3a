/** The wall clock is set while work runs: an hour back or forward changes no lease, doubles nothing, and postpones nothing for long. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { sleep } from '../../src/lib/until.ts'
import { assertUntouched, childrenOf } from '../helpers/children.ts'
import { preloadEnv } from '../helpers/preload.ts'
import { readState } from '../helpers/soundness.ts'
import { assertVisits, startProject } from '../helpers/started-project.ts'
import { tempFolder } from '../helpers/temp.ts'
import { stageOf, untilHealthy, untilState, untilStatus } from '../helpers/wait.ts'

const HOUR_MS = 3_600_000

describe('the clock is set', { concurrency: 2 }, () => {
  for (const [words, offsetMs] of [
    ['back', -HOUR_MS],
    ['forward', HOUR_MS],
  ] as const) {
    test(`an hour ${words} in the middle of a stage: it keeps its claim, what follows follows at once`, async (t) => {
      const { env, setClock } = await settableClock(t)
      const { layout, gates, instance, id } = await startProject(t, { held: ['film-2'], start: { env } })
      const before = await childrenOf(instance)
      const { id: waiting } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
      await untilState({ layout, id: waiting }, (state) => stageOf(state, 'film').status === 'queued')
      setClock(offsetMs)
      await sleep(5_000) // two looks of the reconciler, which must not take the stage from its worker
      assert.deepEqual([gates.visits('film-1'), stageOf(readState(layout, id), 'film').attempts], [1, 1])
      gates.release('film-2')
      const ends = await Promise.all([id, waiting].map((one) => untilStatus({ layout, id: one }, 'completed')))
      for (const { stages } of ends)
        for (const { attempts, retries, duration_ms } of stages) {
          assert.deepEqual([attempts, retries], [1, 0])
          assert.ok(duration_ms! >= 0, `a stage took ${duration_ms} ms`)
        }
      assertVisits(gates, Object.fromEntries(everyGate().map((gate) => [gate, 2])))
      const { id: later } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
      const { created_at, stages } = await untilStatus({ layout, id: later }, 'completed')
      for (const at of [created_at, stages[0]!.finished_at!]) assertSet(at, offsetMs)
      await untilHealthy(instance)
      assert.deepEqual(instance.facts('child_hung'), [])
      await assertUntouched(instance, before)
    })

    test(`an hour ${words} while a retry is waited for: it is neither lost nor postponed by an hour, and happens once`, async (t) => {
      const { env, setClock } = await settableClock(t)
      const plan = { pipeline: 'flaky', held: ['ask'], input: { failures: 1, status: 503 }, start: { env } }
      const { layout, gates, instance, id } = await startProject(t, plan)
      gates.release('ask')
      await untilState({ layout, id }, (state) => stageOf(state, 'ask').retry_at !== null)
      setClock(offsetMs)
      const setMs = performance.now()
      const { stages } = await untilStatus({ layout, id, timeoutMs: 20_000 }, 'completed')
      t.diagnostic(`completed ${Math.round(performance.now() - setMs)} ms after the clock was set; planned were 2 s`)
      assert.deepEqual(
        [stages[0]?.attempts, stages[0]?.retries, gates.visits('ask'), gates.visits('once')],
        [2, 1, 2, 1],
      )
      await untilHealthy(instance)
    })
  }
})

/** The supervisor's clock, or a worker's, was really set: else all of this would prove nothing. */
function assertSet(at: string, offsetMs: number): void {
  const aheadMs = Date.parse(at) - Date.now()
  assert.ok(Math.abs(aheadMs - offsetMs) < 120_000, `a record is ${aheadMs} ms ahead of the real clock`)
}

function everyGate(): string[] {
  return ['write', 'film', 'check'].flatMap((stage) => ['1', '2', '3'].map((part) => `${stage}-${part}`))
}

/** Of all processes of the program, Redis left out: it has no say in when something is due. */
async function settableClock(t: TestContext) {
  const file = join(await tempFolder(t), 'clock')
  return {
    env: { ...preloadEnv('clock'), TEST_CLOCK_FILE: file },
    setClock: (offsetMs: number) => writeFileSync(file, String(offsetMs)),
  }
}
