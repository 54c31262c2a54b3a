/** What users do: they stop in the middle, lose patience, and start again. */
import { sleep, until } from '../../lib/until.ts'
import { readEffects } from '../effects.ts'
import type { Fault, Scene } from '../fault.ts'
import type { Strike } from '../recovery.ts'
import { heard, midStage, SOON_MS, startAfterStop, strikeAll } from '../scene.ts'

/** What a stop may take at the most. */
const STOP_MS = 28_000
/** And what it may take after the second Ctrl+C: two seconds, and one more on a busy machine. */
const HURRY_MS = 3_000

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
      await heard(scene, ({ type }) => type === 'stopping')
      await sleep(700, scene.signal) // within half a second it would count as the same press
      const wasPatient = instance.exited() === null
      instance.signal('SIGINT')
      const { code } = await instance.ended(HURRY_MS)
      // A user's pipeline that gives its work back at once leaves nothing to be impatient with.
      if (code !== (wasPatient ? 130 : 0)) scene.found('wrong', `it ended with exit code ${code}`)
      await startAfterStop(scene)
      return [strike]
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
  await startAfterStop(scene)
  return [strike]
}

async function signal(scene: Scene, name: NodeJS.Signals): Promise<Strike> {
  const pids = await scene.rig.pids()
  return { atMs: strikeAll([scene.instance().pid], name), pids, noticedMs: null }
}
