/** A process runs out of memory: the kernel's abort, no chance to say good-bye. Nothing is left, and the work goes on. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { assertUntouched, childrenOf, pidOf } from '../helpers/children.ts'
import { preloadEnv } from '../helpers/preload.ts'
import { untilGone } from '../helpers/processes.ts'
import { assertVisits, startProject } from '../helpers/started-project.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { tempFolder } from '../helpers/temp.ts'
import { untilHealthy, untilStatus } from '../helpers/wait.ts'

test('out of memory in a worker: it is replaced, its stage goes on from its last step, nobody else is touched', async (t) => {
  const { env, exhaust } = await heapTrap(t)
  const { layout, gates, instance, id } = await startProject(t, { held: ['film-2'], start: { env } })
  const before = await childrenOf(instance)
  const pid = await pidOf(instance, 'media-1')
  exhaust(pid)
  await untilGone([pid], 40_000)
  await gates.reached('film-2', 2)
  gates.release('film-2')
  const { stages } = await untilStatus({ layout, id }, 'completed')
  assert.equal(stages[1]?.attempts, 2)
  assertVisits(gates, { 'film-2': 2 })
  const [exit] = instance.facts('child_exited')
  assert.equal(exit?.signal, 'SIGABRT')
  assert.match(exit!.lines.join('\n'), /heap out of memory/)
  await untilHealthy(instance)
  await assertUntouched(instance, before, ['media-1'])
})

test('out of memory in the supervisor: within a second nothing is left, and the next start goes on', async (t) => {
  const { env, exhaust } = await heapTrap(t)
  const { installation, layout, gates, instance, id } = await startProject(t, { held: ['film-2'], start: { env } })
  const others = (await installation.processes()).map(({ pid }) => pid)
  assert.equal(others.length, 4)
  exhaust(instance.supervisorPid)
  const { code, signal } = await instance.ended(60_000)
  const watch = startWatch()
  assert.ok(code === 134 || signal === 'SIGABRT', `it ended by ${code ?? signal}`)
  await untilGone(others)
  t.diagnostic(`nothing was left after ${Math.round(watch.ms())} ms`)
  watch.assertBelow(1_000)
  gates.release('film-2')
  const again = await installation.start({ env })
  const { stages } = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual(
    stages.map(({ attempts, retries }) => [attempts, retries]),
    [
      [1, 0],
      [2, 0],
      [1, 0],
    ],
  )
  assertVisits(gates, { 'film-2': 2 })
  await untilHealthy(again)
})

/**
 * All processes get little memory; one of them is made to use it up. With the watch for hangs off: on a busy machine it
 * would see the process struggle, and be first.
 */
async function heapTrap(t: TestContext) {
  const file = join(await tempFolder(t), 'heap')
  return {
    env: { ...preloadEnv('fill-heap', '--max-old-space-size=96'), TEST_HEAP_FILE: file, HANG_KILL_S: '0' },
    exhaust: (pid: number) => writeFileSync(file, String(pid)),
  }
}
