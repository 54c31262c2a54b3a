/** A machine whose kernel has no death signal to offer (macOS): a killed supervisor, or worker, still leaves nothing behind. */
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { pidOf } from '../helpers/children.ts'
import { preloadEnv } from '../helpers/preload.ts'
import { guardianOf, untilGone } from '../helpers/processes.ts'
import { killSupervisor, startProject } from '../helpers/started-project.ts'
import { untilHealthy, untilStatus } from '../helpers/wait.ts'

const start = { env: preloadEnv('no-death-signal') }

for (const [pipeline, gate] of [
  ['subprocess', null],
  ['busy', 'loop'],
] as const)
  test(`SIGKILL of the supervisor: 3 s later nothing is left, Redis and a ${pipeline} worker included`, async (t) => {
    const { installation, layout, gates, instance, id } = await startProject(t, {
      pipeline,
      input: { ms: 60_000 },
      start,
    })
    if (gate) await gates.reached(gate)
    else await untilSleeping(installation)
    process.kill(guardianOf(instance.supervisorPid), 'SIGKILL') // there is no /proc on such a machine, and so no guardian
    await killSupervisor(installation, instance, { guarded: false })
    await installation.start({ env: start.env })
    await untilStatus({ layout, id }, 'completed')
  })

test('SIGKILL of a worker: the program of its stage ends with it, and the work goes on', async (t) => {
  const plan = { pipeline: 'subprocess', input: { ms: 60_000 }, start }
  const { installation, layout, instance, id } = await startProject(t, plan)
  const sleeping = await untilSleeping(installation)
  process.kill(await pidOf(instance, 'media-1'), 'SIGKILL')
  await untilGone([sleeping])
  await untilStatus({ layout, id }, 'completed')
  await untilHealthy(instance)
})

async function untilSleeping(installation: {
  processes(): Promise<{ pid: number; command: string }[]>
}): Promise<number> {
  const probe = async () => (await installation.processes()).find(({ command }) => command === 'sleep')?.pid
  return until(probe, { timeoutMs: 20_000, what: 'the program of the stage to run' })
}
