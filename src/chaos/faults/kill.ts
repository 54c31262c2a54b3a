/** SIGKILL: of each kind of process, of all of them, and of the supervisor while nobody could hear of it. */
import type { Fault, Scene } from '../fault.ts'
import type { Strike } from '../recovery.ts'
import { childrenOf, killChildren, midStage, processOf, readyAgain, strikeAll, workersOf } from '../scene.ts'
import { wildWork } from '../work.ts'

/** So long after the supervisor's end everything of it has to be gone. */
const GONE_MS = 3_000

export const KILLS: readonly Fault[] = [
  { id: 'kill-worker', what: 'SIGKILL of each worker in mid-stage', strike: killWorkers },
  {
    id: 'kill-scheduler',
    what: 'SIGKILL of the scheduler',
    async strike(scene) {
      await midStage(scene)
      return [await killChildren(scene, [(await processOf(scene, 'scheduler')).pid])]
    },
  },
  {
    id: 'kill-redis',
    what: 'SIGKILL of Redis',
    async strike(scene) {
      await midStage(scene)
      const before = await workersOf(scene)
      const strike = await killChildren(scene, [(await processOf(scene, 'redis')).pid])
      await readyAgain(scene, 'redis', strike.atMs)
      const after = await workersOf(scene)
      if (after.some(({ pid }, i) => pid !== before[i]?.pid))
        scene.found('wrong', 'a worker was replaced with Redis, though it could have waited for it')
      return [strike]
    },
  },
  {
    id: 'kill-children',
    what: 'SIGKILL of all processes but the supervisor at once',
    async strike(scene) {
      await midStage(scene)
      return [await killChildren(scene, await childrenOf(scene))]
    },
  },
  {
    id: 'kill-supervisor',
    what: 'SIGKILL of the supervisor, and a new start',
    async strike(scene) {
      await midStage(scene)
      return [await killSupervisor(scene)]
    },
  },
  {
    id: 'kill-supervisor-busy',
    what: 'SIGKILL of the supervisor while a worker hears nothing, and a new start',
    oursOnly: true,
    async strike(scene) {
      const project = await scene.add(wildWork(scene.rig.effects, 'spin'))
      const deadline = { timeoutMs: 20_000, signal: scene.signal }
      await scene.load.untilRunning((stage) => stage.project === project && stage.steps > 0, deadline)
      return [await killSupervisor(scene)]
    },
  },
  {
    id: 'kill-all',
    what: 'SIGKILL of every process at once, and a new start',
    async strike(scene) {
      await midStage(scene)
      const pids = await scene.rig.pids()
      const atMs = strikeAll(pids, 'SIGKILL')
      await scene.rig.gone(GONE_MS)
      await scene.startAgain()
      return [{ atMs, pids, noticedMs: null }]
    },
  },
]

async function killWorkers(scene: Scene): Promise<Strike[]> {
  const strikes: Strike[] = []
  for (const { name } of await workersOf(scene)) {
    // A pipeline may give this worker nothing to do; then it is hit while it waits.
    await midStage(scene, name).catch(() => scene.signal.throwIfAborted())
    const worker = (await workersOf(scene)).find((one) => one.name === name)
    if (!worker) throw new Error(`there is no process ${name}`)
    const strike = await killChildren(scene, [worker.pid])
    strikes.push(strike)
    await readyAgain(scene, name, strike.atMs)
  }
  return strikes
}

/** It is noticed by its children: the time until none is left. */
async function killSupervisor(scene: Scene): Promise<Strike> {
  const pids = await scene.rig.pids()
  const atMs = strikeAll([scene.instance().pid], 'SIGKILL')
  await scene.rig.gone(GONE_MS).catch(async () => {
    const left = await scene.rig.pids()
    scene.found(
      'left',
      `${left.length} processes ${GONE_MS / 1_000} s after the end of the supervisor (${left.join(', ')})`,
    )
  })
  const noticedMs = Date.now() - atMs
  await scene.startAgain()
  return { atMs, pids, noticedMs }
}
