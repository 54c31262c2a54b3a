/** What users do: they start twice, stop in the middle, and lose patience. */
import { sleep, until } from '../../lib/until.ts'
import { readEffects } from '../effects.ts'
import type { Fault, Scene } from '../fault.ts'
import type { Program } from '../program.ts'
import type { Strike } from '../recovery.ts'
import type { Instance } from '../rig.ts'
import { midStage, SOON_MS, strikeAll } from '../scene.ts'

/** What a stop may take at the most. */
const STOP_MS = 28_000
/** And what it may take after the second Ctrl+C. */
const HURRY_MS = 2_500
/** Whoever comes second waits until the first says where it serves. */
const REFUSE_MS = 25_000

export const LIFECYCLES: readonly Fault[] = [
  { id: 'sigterm', what: 'SIGTERM in mid-stage, and a new start', strike: (scene) => stopWith(scene, 'SIGTERM') },
  { id: 'sigint', what: 'Ctrl+C in mid-stage, and a new start', strike: (scene) => stopWith(scene, 'SIGINT') },
  {
    id: 'second-ctrl-c',
    what: 'Ctrl+C twice while a long step runs, and a new start',
    pace: { firstMs: 10_000 },
    async strike(scene) {
      await longStep(scene)
      const instance = scene.instance()
      const strike = await signal(scene, 'SIGINT')
      await sleep(700, scene.signal) // within half a second it would count as the same press
      const wasPatient = instance.exited() === null
      instance.signal('SIGINT')
      const { code } = await instance.ended(HURRY_MS)
      // A user's pipeline that gives its work back at once leaves nothing to be impatient with.
      if (code !== (wasPatient ? 130 : 0)) scene.found('wrong', `it ended with exit code ${code}`)
      await scene.startAgain()
      return [strike]
    },
  },
  {
    id: 'double-start',
    what: 'a second start beside the first; SIGKILL, and three starts at the same instant',
    async strike(scene) {
      await midStage(scene)
      await expectRefusal(scene, scene.rig.launch())
      const pids = await scene.rig.pids()
      const atMs = strikeAll([scene.instance().pid], 'SIGKILL')
      const programs = [scene.rig.launch(), scene.rig.launch(), scene.rig.launch()]
      const winners = await Promise.all(programs.map((program) => servingOrGone(scene, program)))
      const [winner, ...others] = winners.filter((instance) => instance !== null)
      if (others.length > 0) scene.found('doubled', `${others.length + 1} programs serve the same data folder`)
      if (winner) scene.adopt(winner)
      else await scene.startAgain()
      return [{ atMs, pids, noticedMs: null }]
    },
  },
]

/** Ours say when they have begun a step; of a user's any stage will do. */
async function longStep(scene: Scene): Promise<void> {
  const { load, rig, signal } = scene
  const isOn = () => load.running().length > 0 && (!scene.ours || readEffects(rig.effects).length > 0)
  await until(isOn, { timeoutMs: SOON_MS, everyMs: 10, signal, what: 'a step to begin' })
}

async function stopWith(scene: Scene, name: NodeJS.Signals): Promise<Strike[]> {
  await midStage(scene)
  const instance = scene.instance()
  const strike = await signal(scene, name)
  const { code } = await instance.ended(STOP_MS)
  if (code !== 0) scene.found('wrong', `it ended with exit code ${code}`)
  await scene.startAgain()
  return [strike]
}

async function signal(scene: Scene, name: NodeJS.Signals): Promise<Strike> {
  const pids = await scene.rig.pids()
  return { atMs: strikeAll([scene.instance().pid], name), pids, noticedMs: null }
}

async function servingOrGone(scene: Scene, program: Program): Promise<Instance | null> {
  const refused = expectRefusal(scene, program).then(() => null)
  refused.catch(() => {}) // the one that serves does not end, and is not waited for
  return Promise.race([refused, scene.rig.serving(program).catch(() => refused)])
}

/** It says where the other one serves, and ends well. */
async function expectRefusal(scene: Scene, program: Program): Promise<void> {
  const { code } = await program.ended(REFUSE_MS)
  if (code !== 0) scene.found('wrong', `a start beside another one ended with exit code ${code}: ${program.tail()}`)
}
