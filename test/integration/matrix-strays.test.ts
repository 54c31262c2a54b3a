/** A stage leaves a program behind, in a session of its own and with its worker's pipes: it blocks nothing and outlives neither its worker nor us. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { assertUntouched, childrenOf, killQuietly, pidOf } from '../helpers/children.ts'
import type { Installation, Instance } from '../helpers/installation.ts'
import { guardianOf, isGone, untilGone } from '../helpers/processes.ts'
import { killSupervisor, startProject } from '../helpers/started-project.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { untilHealthy, untilStatus } from '../helpers/wait.ts'

test('its worker is killed: it ends with it, and the stage runs again', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { pipeline: 'stray', held: ['after'] })
  const before = await childrenOf(instance)
  const stray = await strayOf(installation)
  process.kill(await pidOf(instance, 'media-1'), 'SIGKILL')
  const watch = startWatch()
  await untilGone([stray], 20_000)
  await gates.reached('after', 2)
  t.diagnostic(`running again after ${Math.round(watch.ms())} ms`)
  watch.assertBelow(8_000)
  gates.release('after')
  await untilStatus({ layout, id }, 'completed')
  await untilHealthy(instance)
  await assertUntouched(instance, before, ['media-1'])
})

test('a stop ends it too, and says that nothing is left', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { pipeline: 'stray', held: ['after'] })
  const stray = await strayOf(installation)
  gates.release('after')
  await untilStatus({ layout, id }, 'completed')
  instance.signal('SIGTERM')
  assert.deepEqual(await instance.ended(20_000), { code: 0, signal: null })
  assert.ok(isGone(stray))
  assert.deepEqual(instance.facts('stopped')[0]?.left, [])
})

test('the supervisor is killed: three seconds later the stray is gone as well', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { pipeline: 'stray', held: ['after'] })
  await strayOf(installation)
  await killSupervisor(installation, instance)
  gates.release('after')
  const again = await installation.start()
  assert.deepEqual(again.facts('survivors_ended'), [])
  await untilStatus({ layout, id }, 'completed')
})

test('the guardian is killed: another takes its place; after a stop it is gone', async (t) => {
  const { installation, instance } = await startProject(t)
  const first = guardianOf(instance.supervisorPid)
  process.kill(first, 'SIGKILL')
  await untilGone([first])
  const second = await until(() => guardianIfAny(instance.supervisorPid), { timeoutMs: 15_000, what: 'a new guardian' })
  instance.signal('SIGTERM')
  assert.deepEqual(await instance.ended(20_000), { code: 0, signal: null })
  await untilGone([second]) // it is sent home, and not waited for longer than a moment
  assert.deepEqual(await installation.processes(), [])
})

test('the supervisor is killed with its guardian: the next start ends the rest before anything else begins, and says so', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { pipeline: 'stray', held: ['after'] })
  const stray = await strayOf(installation)
  const others = (await installation.processes()).map(({ pid }) => pid).filter((pid) => pid !== stray)
  killBoth(instance)
  await untilGone([instance.supervisorPid, ...others])
  gates.release('after')
  const again = await installation.start()
  assert.ok(isGone(stray))
  assert.deepEqual(
    again.facts('survivors_ended')[0]?.survivors.map(({ pid, command }) => [pid, command]),
    [[stray, 'sleep']],
  )
  await untilStatus({ layout, id }, 'completed')
})

test('a Redis that cannot die is really gone before the next start has one on the same files', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { held: ['film-2'] })
  const redis = await pidOf(instance, 'redis')
  const others = (await installation.processes()).map(({ pid }) => pid).filter((pid) => pid !== redis)
  process.kill(redis, 'SIGSTOP') // its death signal waits until it goes on
  t.after(() => killQuietly(redis))
  killBoth(instance)
  await untilGone([instance.supervisorPid, ...others])
  assert.ok(!isGone(redis))
  gates.release('film-2')
  const again = await installation.start()
  assert.deepEqual(
    again.facts('survivors_ended')[0]?.survivors.map(({ pid, command }) => [pid, command]),
    [[redis, 'redis-server']],
  )
  const order = again
    .output()
    .split('\n')
    .flatMap((line) => /"type":"(survivors_ended|child_spawned)"/.exec(line)?.[1] ?? [])
  assert.equal(order[0], 'survivors_ended', 'before any process was started')
  assert.ok(isGone(redis))
  assert.deepEqual(again.facts('child_repaired'), [])
  await untilStatus({ layout, id }, 'completed')
})

test('a stored pid that is another program\u2019s by now is never killed', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { held: ['film-2'] })
  const innocent = spawn('sleep', ['600'], { stdio: 'ignore' })
  t.after(() => innocent.kill('SIGKILL'))
  await killSupervisor(installation, instance)
  const run = JSON.parse(await readFile(layout.run, 'utf8')) as object
  await writeFile(layout.run, JSON.stringify({ ...run, pid: innocent.pid }))
  gates.release('film-2')
  const again = await installation.start()
  await untilStatus({ layout, id }, 'completed')
  again.signal('SIGTERM')
  assert.deepEqual(await again.ended(20_000), { code: 0, signal: null })
  assert.ok(!isGone(innocent.pid!))
})

function killBoth({ supervisorPid }: Instance): void {
  for (const pid of [guardianOf(supervisorPid), supervisorPid]) process.kill(pid, 'SIGKILL')
}

function guardianIfAny(supervisorPid: number): number | undefined {
  try {
    return guardianOf(supervisorPid)
  } catch {
    return undefined // not yet
  }
}

function strayOf(installation: Installation): Promise<number> {
  const probe = async () => (await installation.processes()).find(({ command }) => command === 'sleep')?.pid
  return until(probe, { timeoutMs: 20_000, what: 'the stray program' })
}
