/** A worker that does what no child should: it hears nothing, does not come up, or ends again and again. */
import { sleep } from '../../lib/until.ts'
import type { Fault, Scene } from '../fault.ts'
import { giveOrders, preloading, withdrawOrders } from '../preload.ts'
import type { Manner } from '../preloads/bad-child.ts'
import type { Fact } from '../program.ts'
import type { Strike } from '../recovery.ts'
import { heardWithin, killChildren, midStage, readyAgain, startAfterStop, strikeAll } from '../scene.ts'

/** What a stop may take at the most, also with somebody who does not listen. */
const STOP_MS = 28_000
/** For a child to be given up: five crashes with pauses between them, or a deadline of 15 s for its start. */
const GIVEN_UP_MS = 60_000
/** Whoever may not be tried again would have been in this time. */
const QUIET_MS = 3_000

export const CHILD_FAULTS: readonly Fault[] = [
  {
    id: 'child-deaf',
    what: 'a worker that hears no order and no SIGTERM; a stop, and a new start',
    waitsS: 40,
    env: preloading('bad-child'),
    async strike(scene) {
      const { strike, worker } = await replaceWith(scene, 'deaf')
      await readyAgain(scene, worker, strike.atMs)
      withdrawOrders(scene.rig.folder, 'bad-child')
      const instance = scene.instance()
      strikeAll([instance.pid], 'SIGTERM')
      const { code } = await instance.ended(STOP_MS)
      if (code !== 0) scene.found('wrong', `it ended with exit code ${code}`)
      await startAfterStop(scene)
      return [strike]
    },
  },
  {
    id: 'child-never-ready',
    what: 'a worker that never becomes ready',
    waitsS: 35,
    env: preloading('bad-child'),
    strike: (scene) => untilGivenUp(scene, 'never-ready', ({ type }) => type === 'child_boot_missed'),
  },
  {
    id: 'child-exits',
    what: 'a worker that exits as soon as it starts',
    waitsS: 25,
    env: preloading('bad-child'),
    strike: (scene) => untilGivenUp(scene, 'exits', isParked),
  },
  {
    id: 'child-crashes',
    what: 'a worker that crashes every 2 s',
    waitsS: 35,
    env: preloading('bad-child'),
    strike: (scene) => untilGivenUp(scene, 'crashes', isParked),
  },
  {
    id: 'child-exits-78',
    what: 'a worker that exits with code 78, which means: do not try again',
    waitsS: 15,
    env: preloading('bad-child'),
    async strike(scene) {
      const strikes = await untilGivenUp(scene, 'exits-78', isParked)
      const [parked] = factsOf(scene, 'child_parked')
      if (parked?.retryMs !== null)
        scene.found('wrong', `${parked?.name} is to be tried again in ${parked?.retryMs} ms`)
      return strikes
    },
  },
]

function isParked({ type }: Fact): boolean {
  return type === 'child_parked'
}

/** Once it is given up it stays so, until it is well again and somebody asks for it. */
async function untilGivenUp(scene: Scene, manner: Manner, test: (fact: Fact) => boolean): Promise<Strike[]> {
  const { strike, worker } = await replaceWith(scene, manner)
  const isAboutIt = (fact: Fact) => fact.name === worker && fact.atMs >= strike.atMs
  const { atMs } = await heardWithin(scene, GIVEN_UP_MS, (fact) => isAboutIt(fact) && test(fact))
  const isParkedNow = factsOf(scene, 'child_parked').some(isAboutIt)
  if (isParkedNow) await expectQuiet(scene, worker)
  withdrawOrders(scene.rig.folder, 'bad-child')
  const healedMs = Date.now()
  if (isParkedNow) await scene.instance().api.workers.restart(worker, { signal: scene.signal })
  await readyAgain(scene, worker, healedMs)
  return [{ ...strike, noticedMs: atMs - strike.atMs }]
}

async function expectQuiet(scene: Scene, worker: string): Promise<void> {
  const starts = () => factsOf(scene, 'child_spawned').filter(({ name }) => name === worker).length
  const before = starts()
  await sleep(QUIET_MS, scene.signal)
  if (starts() > before) scene.found('wrong', `${worker} was started again, though it had been given up`)
}

/** The process is killed in the middle of a stage, and whoever follows it behaves like this. */
async function replaceWith(scene: Scene, manner: Manner): Promise<{ strike: Strike; worker: string }> {
  const { owner } = await midStage(scene)
  giveOrders(scene.rig.folder, 'bad-child', { manner })
  return { strike: await killChildren(scene, [owner.pid]), worker: owner.worker }
}

function factsOf(scene: Scene, type: string): Fact[] {
  return scene.instance().facts.filter((fact) => fact.type === type)
}
