/** Two starts on one data folder: always exactly one serves, and the other says where. */
import { AppError } from '../../lib/errors.ts'
import type { Fault, Scene } from '../fault.ts'
import type { Program } from '../program.ts'
import type { Strike } from '../recovery.ts'
import type { Instance } from '../rig.ts'
import { midStage, strikeAll } from '../scene.ts'
import { stopFindings } from '../stop.ts'

/** Whoever comes second waits until the first says where it serves. */
const REFUSE_MS = 25_000
const STOP_MS = 28_000
const ROUNDS = 20
/** Of a user's pipeline each one costs the running steps. */
const USER_ROUNDS = 4

export const DOUBLE_STARTS: readonly Fault[] = [
  {
    id: 'double-start',
    what: `a second start beside the first; ${ROUNDS} times killed or stopped, and two starts at the same instant`,
    waitsS: 55,
    async strike(scene) {
      await midStage(scene)
      await expectRefusal(scene, scene.rig.launch(), scene.instance())
      const strikes: Strike[] = []
      for (let round = 1; round <= (scene.ours ? ROUNDS : USER_ROUNDS); round++)
        strikes.push(await endAndStartTwice(scene, round % 2 === 0 ? 'SIGTERM' : 'SIGKILL'))
      return strikes
    },
  },
]

/** After a kill the two begin while the processes of the one before are still going away. */
async function endAndStartTwice(scene: Scene, name: 'SIGTERM' | 'SIGKILL'): Promise<Strike> {
  const pids = await scene.rig.pids()
  const before = scene.instance()
  const atMs = strikeAll([before.pid], name)
  await before.ended(STOP_MS)
  if (name === 'SIGTERM') for (const { kind, text } of await stopFindings(scene.rig)) scene.found(kind, text)
  const pair = [scene.rig.launch(), scene.rig.launch()]
  const served = await Promise.all(pair.map((program) => servingOrGone(scene, program)))
  const [winner, ...others] = served.filter((instance) => instance !== null)
  if (!winner)
    throw new AppError('unavailable', `of two starts none serves: ${pair.map((one) => one.tail()).join('\n')}`)
  if (others.length > 0) scene.found('doubled', 'two programs serve the same data folder')
  scene.adopt(winner)
  for (const [i, program] of pair.entries()) if (served[i] === null) await expectRefusal(scene, program, winner)
  return { atMs, pids, noticedMs: null }
}

/** Null for one that ended before it served. */
async function servingOrGone({ rig }: Scene, program: Program): Promise<Instance | null> {
  try {
    return await rig.serving(program)
  } catch (error) {
    if (error instanceof AppError && error.code === 'unavailable') return null
    throw error
  }
}

/** It says where the other one serves, and ends well. */
export async function expectRefusal(scene: Pick<Scene, 'found'>, program: Program, { url }: Pick<Instance, 'url'>) {
  const { code } = await program.ended(REFUSE_MS)
  if (code !== 0) scene.found('wrong', `a start beside another one ended with exit code ${code}: ${program.tail()}`)
  else if (!program.tail().includes(url))
    scene.found('wrong', `a start beside another one does not say that it serves at ${url}: ${program.tail()}`)
}
