/** SIGKILL: of each kind of process, of all of them, and of the supervisor while nobody could hear of it. */
import { sleep, until } from '../../lib/until.ts'
import type { Fault, Scene } from '../fault.ts'
import type { Strike } from '../recovery.ts'
import {
  childrenOf,
  expectSameWorkers,
  killChildren,
  midStage,
  processOf,
  readyAgain,
  SOME_MS,
  strikeAll,
  supervisedOf,
  workersOf,
} from '../scene.ts'
import { wildWork } from '../work.ts'

/** So long after the supervisor's end everything of it has to be gone. */
const GONE_MS = 3_000
/** Ends with the fault's own deadline, for nobody knows how long a user's stages take. */
const LONG_MS = 24 * 3600 * 1000

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
      await expectSameWorkers(scene, before)
      return [strike]
    },
  },
  {
    id: 'kill-children',
    what: 'SIGKILL of all processes but the supervisor at once',
    async strike(scene) {
      await midStage(scene)
      return [await killChildren(scene, await childrenOf(scene), await supervisedOf(scene))]
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
    await busyOrDone(scene, name)
    const worker = (await workersOf(scene)).find((one) => one.name === name)
    if (!worker) throw new Error(`there is no process ${name}`)
    const strike = await killChildren(scene, [worker.pid])
    strikes.push(strike)
    await readyAgain(scene, name, strike.atMs)
  }
  return strikes
}

/** A user's pipeline may have nothing to do for this worker: then it is hit while it waits. */
async function busyOrDone(scene: Scene, worker: string): Promise<void> {
  if (scene.ours) {
    await midStage(scene, worker)
    return
  }
  const { load, signal } = scene
  const isBusy = () => load.running().some(({ owner }) => owner.worker === worker)
  const what = `${worker} to have something to do`
  await until(() => isBusy() || load.open().length === 0, { timeoutMs: LONG_MS, everyMs: 10, signal, what })
  await sleep(scene.random() * SOME_MS, signal)
}

async function killSupervisor(scene: Scene): Promise<Strike> {
  const pids = await scene.rig.pids()
  const atMs = strikeAll([scene.instance().pid], 'SIGKILL')
  return goneAndStartAgain(scene, { atMs, pids })
}

/** The end of a supervisor is noticed by its children: the time until none is left. */
export async function goneAndStartAgain(scene: Scene, blow: Pick<Strike, 'atMs' | 'pids'>): Promise<Strike> {
  await scene.rig.gone(GONE_MS).catch(async () => {
    const left = await scene.rig.pids()
    const text = `${left.length} processes ${GONE_MS / 1_000} s after the end of the supervisor (${left.join(', ')})`
    scene.found('left', text)
  })
  const noticedMs = Date.now() - blow.atMs
  await scene.startAgain()
  return { ...blow, noticedMs }
}
