/** Processes that stand still for long, and go on: nobody is killed by mistake, nothing is lost. Mostly waiting, so side by side. */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { sleep, until } from '../../src/lib/until.ts'
import type { Misbehaviour } from '../fixtures/preloads/misbehave.ts'
import { assertUntouched, childrenOf, killQuietly, pidOf, untilReplaced } from '../helpers/children.ts'
import type { Instance } from '../helpers/installation.ts'
import { preloadEnv } from '../helpers/preload.ts'
import { assertVisits, startProject } from '../helpers/started-project.ts'
import { tempFolder } from '../helpers/temp.ts'
import { stageOf, untilHealthy, untilState, untilStatus } from '../helpers/wait.ts'

const PAUSE_MS = 20_000

describe('SIGSTOP', { concurrency: true }, () => {
  test('the supervisor for 20 s: afterwards nobody is taken for hung, no process was restarted, the work went on', async (t) => {
    const { layout, gates, instance, id } = await startProject(t, { held: ['film-2'] })
    const before = await childrenOf(instance)
    stop(t, instance.supervisorPid)
    gates.release('film-2')
    await untilState({ layout, id }, (state) => stageOf(state, 'film').status === 'completed')
    await sleep(PAUSE_MS)
    process.kill(instance.supervisorPid, 'SIGCONT')
    await untilStatus({ layout, id }, 'completed')
    await untilHealthy(instance)
    await assertNobodyAccused(instance)
    await assertUntouched(instance, before)
    assertVisits(gates)
  })

  test('the supervisor for 20 s while a child boots: its readiness was heard late, which is no missed deadline', async (t) => {
    const folder = await tempFolder(t)
    const env = { ...preloadEnv('misbehave'), TEST_MISBEHAVE_FOLDER: folder }
    const { layout, gates, instance, id } = await startProject(t, { held: ['film-2'], start: { env } })
    const before = await childrenOf(instance)
    const pid = await pidOf(instance, 'media-1')
    writeFileSync(join(folder, 'media-1'), 'late' satisfies Misbehaviour) // else it might be up before we look
    process.kill(pid, 'SIGKILL')
    await until(() => instance.facts('child_spawned').filter(({ name }) => name === 'media-1').length === 2, {
      timeoutMs: 20_000,
      everyMs: 10,
    })
    stop(t, instance.supervisorPid)
    assert.equal(instance.facts('child_ready').filter(({ name }) => name === 'media-1').length, 1, 'it still boots')
    rmSync(join(folder, 'media-1'))
    await sleep(PAUSE_MS)
    process.kill(instance.supervisorPid, 'SIGCONT')
    await untilHealthy(instance)
    gates.release('film-2')
    await untilStatus({ layout, id }, 'completed')
    await assertNobodyAccused(instance)
    await assertUntouched(instance, before, ['media-1'])
    assert.equal((await childrenOf(instance)).find(({ name }) => name === 'media-1')?.restarts, 1)
  })

  test('a worker in the middle of a stage, with the settings that users have: ended as stopped, the stage goes on in its successor', async (t) => {
    const { layout, gates, instance, id, paths } = await startProject(t, { held: ['write-2'] })
    const before = await childrenOf(instance)
    const pid = await pidOf(instance, 'io-1')
    stop(t, pid)
    await untilReplaced(instance, { name: 'io-1', pid }, 2 * PAUSE_MS)
    gates.release('write-2')
    const { stages } = await untilStatus({ layout, id }, 'completed')
    assert.deepEqual(
      stages.map((s) => [s.attempts, s.retries]),
      [
        [2, 0],
        [1, 0],
        [1, 0],
      ],
    )
    assertVisits(gates, { 'write-2': 2 })
    assert.match(instance.facts('child_exited')[0]!.reason, /^was stopped by a signal for 1\d\.\d s/)
    assert.doesNotMatch(readFileSync(paths.journal, 'utf8'), /"type":"crashed"/, 'nobody is charged')
    await untilHealthy(instance)
    await assertUntouched(instance, before, ['io-1'])
  })

  test('our own Redis for 20 s: it is ended as stopped and started again with its file, the workers stay', async (t) => {
    const { layout, gates, instance, id } = await startProject(t, { held: ['write-2'] })
    const before = await childrenOf(instance)
    const pid = await pidOf(instance, 'redis')
    const stoppedMs = performance.now()
    stop(t, pid)
    await untilReplaced(instance, { name: 'redis', pid }, 2 * PAUSE_MS)
    const tookMs = performance.now() - stoppedMs
    assert.ok(tookMs > 10_000, `it took ${tookMs} ms`)
    assert.match(instance.facts('child_hung')[0]!.reason, /^was stopped by a signal for 1\d\.\d s/)
    gates.release('write-2')
    const { stages } = await untilStatus({ layout, id }, 'completed')
    assert.deepEqual(
      stages.map((s) => s.attempts),
      [1, 1, 1],
    )
    assertVisits(gates)
    await untilHealthy(instance)
    await assertUntouched(instance, before, ['redis'])
  })

  test('our own Redis for 8 s, which is less than a hang: it goes on, and nobody is started again', async (t) => {
    const { layout, gates, instance, id } = await startProject(t, { held: ['write-2'] })
    const before = await childrenOf(instance)
    const pid = await pidOf(instance, 'redis')
    stop(t, pid)
    await sleep(8_000)
    process.kill(pid, 'SIGCONT')
    gates.release('write-2')
    await untilStatus({ layout, id }, 'completed')
    assertVisits(gates)
    await untilHealthy(instance)
    await assertNobodyAccused(instance)
    await assertUntouched(instance, before)
  })

  test('the only worker of a group for 40 s with HANG_KILL_S=0, past its lease and its lock: it goes on with its work', async (t) => {
    const plan = { held: ['film-2'], start: { env: { HANG_KILL_S: '0' } } }
    const { layout, gates, instance, id } = await startProject(t, plan)
    const before = await childrenOf(instance)
    const pid = await pidOf(instance, 'media-1')
    stop(t, pid)
    await sleep(2 * PAUSE_MS)
    process.kill(pid, 'SIGCONT')
    gates.release('film-2')
    const { stages } = await untilStatus({ layout, id }, 'completed')
    assert.deepEqual(
      stages.map((s) => s.retries),
      [0, 0, 0],
    )
    assert.ok(gates.visits('film-3') === 1, 'what was behind the open step was done once')
    await untilHealthy(instance)
    await assertNobodyAccused(instance)
    await assertUntouched(instance, before)
  })
})

/** A process that is still stopped at the end of a failed test would outlive its installation's stop. */
function stop(t: TestContext, pid: number): void {
  process.kill(pid, 'SIGSTOP')
  t.after(() => killQuietly(pid, 'SIGCONT'))
}

async function assertNobodyAccused(instance: Instance): Promise<void> {
  assert.deepEqual([...instance.facts('child_hung'), ...instance.facts('child_boot_missed')], [])
}
