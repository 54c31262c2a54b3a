/** A stage leaves a program behind, in a session of its own and with its worker's pipes: it blocks nothing and does not outlive us. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { assertUntouched, childrenOf, pidOf } from '../helpers/children.ts'
import type { Installation } from '../helpers/installation.ts'
import { isGone, untilGone } from '../helpers/processes.ts'
import { startProject } from '../helpers/started-project.ts'
import { untilHealthy, untilStatus } from '../helpers/wait.ts'

test('its worker is killed: the end is noticed although the pipes stay open', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { pipeline: 'stray', held: ['after'] })
  const before = await childrenOf(instance)
  const stray = await strayOf(installation)
  process.kill(await pidOf(instance, 'media-1'), 'SIGKILL')
  const killedMs = performance.now()
  await gates.reached('after', 2)
  const tookMs = performance.now() - killedMs
  t.diagnostic(`running again after ${Math.round(tookMs)} ms`)
  assert.ok(tookMs < 8_000, `it took ${tookMs} ms`) // a second is waited for the pipes; the rest is a busy machine's
  gates.release('after')
  await untilStatus({ layout, id }, 'completed')
  assert.ok(!isGone(stray), 'the stray program runs, and holds the pipes of a dead process')
  await untilHealthy(instance)
  await assertUntouched(instance, before, ['media-1'])
})

test('a stop ends it too, and says that nothing is left', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { pipeline: 'stray', held: ['after'] })
  const stray = await strayOf(installation)
  gates.release('after')
  await untilStatus({ layout, id }, 'completed')
  instance.signal('SIGTERM')
  assert.deepEqual(await instance.ended(10_000), { code: 0, signal: null })
  assert.ok(isGone(stray))
  assert.deepEqual(instance.facts('stopped')[0]?.left, [])
})

test('the supervisor is killed: the next start ends it before anything else begins, and says so', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { pipeline: 'stray', held: ['after'] })
  const stray = await strayOf(installation)
  const others = (await installation.processes()).map(({ pid }) => pid).filter((pid) => pid !== stray)
  process.kill(instance.supervisorPid, 'SIGKILL')
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

function strayOf(installation: Installation): Promise<number> {
  const probe = async () => (await installation.processes()).find(({ command }) => command === 'sleep')?.pid
  return until(probe, { timeoutMs: 10_000, what: 'the stray program' })
}
