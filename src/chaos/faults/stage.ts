/** Stages that do what no stage should. */
import { performance } from 'node:perf_hooks'
import { sleep, until } from '../../lib/until.ts'
import type { Fault, Scene } from '../fault.ts'
import type { Misdeed } from '../pipelines/wild.ts'
import type { Fact } from '../program.ts'
import type { Strike } from '../recovery.ts'
import { heard, killChildren, midStage, SOON_MS } from '../scene.ts'
import { deafWork, type Work, wildWork } from '../work.ts'

/** While a stage floods its output, others must still be answered within this. */
const ANSWER_MS = 1_000

export const STAGE_FAULTS: readonly Fault[] = [
  {
    id: 'stage-blocks',
    what: 'a stage blocks its event loop for ever (HANG_KILL_S=3)',
    oursOnly: true,
    env: { HANG_KILL_S: '3' },
    strike: (scene) => misbehave(scene, wild(scene, 'spin'), ['child_suspected', 'child_hung']),
  },
  {
    id: 'stage-exits',
    what: 'a stage ends its process',
    oursOnly: true,
    strike: (scene) => misbehave(scene, wild(scene, 'exit'), ['child_exited']),
  },
  {
    id: 'stage-poisons',
    what: 'a stage ends its process each time it runs',
    oursOnly: true,
    strike: (scene) => misbehave(scene, wildWork(scene.rig.effects, 'exit', { always: true }), ['child_exited']),
  },
  {
    id: 'stage-hoards',
    what: 'a stage exhausts the heap (of 128 MB)',
    oursOnly: true,
    env: { NODE_OPTIONS: '--max-old-space-size=128' },
    strike: (scene) => misbehave(scene, wild(scene, 'hoard'), ['child_exited']),
  },
  {
    id: 'stage-ignores-limits',
    what: 'a stage hears neither signal nor time limit (2 s)',
    oursOnly: true,
    strike: (scene) => misbehave(scene, deafWork(scene.rig.effects), ['child_exited']),
  },
  {
    id: 'stage-floods',
    what: 'a stage prints 100 MB',
    oursOnly: true,
    async strike(scene) {
      const { strike } = await begin(scene, wild(scene, 'flood'))
      const worstMs = await worstAnswer(scene)
      if (worstMs > ANSWER_MS)
        scene.found('wrong', `/livez took ${Math.round(worstMs)} ms while a stage flooded its output`)
      return [strike]
    },
  },
  {
    id: 'stage-abandons',
    what: 'a stage leaves a program behind that holds its pipes; SIGKILL of its worker',
    oursOnly: true,
    async strike(scene) {
      const { project, strike } = await begin(scene, wild(scene, 'abandon'))
      const isOver = () => !scene.load.open().includes(project)
      await until(isOver, { timeoutMs: SOON_MS, signal: scene.signal, what: 'the program to be left behind' })
      await midStage(scene)
      return [await killChildren(scene, strike.pids)]
    },
  },
]

function wild({ rig }: Scene, how: Misdeed): Work {
  return wildWork(rig.effects, how)
}

/** Runs such a stage beside the others, and waits until the program has noticed what its worker came to. */
async function misbehave(scene: Scene, work: Work, noticedBy: readonly Fact['type'][]): Promise<Strike[]> {
  await midStage(scene)
  const { strike } = await begin(scene, work)
  const noticed = await heard(scene, ({ type, atMs }) => noticedBy.includes(type) && atMs >= strike.atMs)
  return [{ ...strike, noticedMs: noticed.atMs - strike.atMs }]
}

/** The blow falls when the stage has remembered its first step. */
async function begin(scene: Scene, work: Work): Promise<{ project: string; strike: Strike }> {
  const project = await scene.add(work)
  const isOn = (stage: { project: string; steps: number }) => stage.project === project && stage.steps > 0
  const { owner, updatedMs } = await scene.load.untilRunning(isOn, { timeoutMs: SOON_MS, signal: scene.signal })
  return { project, strike: { atMs: updatedMs, pids: [owner.pid], noticedMs: null } }
}

async function worstAnswer({ instance, load, signal }: Scene): Promise<number> {
  let worstMs = 0
  while (load.open().length > 0) {
    const askedMs = performance.now()
    await instance().api.livez({ signal })
    worstMs = Math.max(worstMs, performance.now() - askedMs)
    await sleep(20, signal)
  }
  return worstMs
}
