/** Stages that do what no stage should. */
import { readFileSync } from 'node:fs'
import { sleep, until } from '../../lib/until.ts'
import { readEffects } from '../effects.ts'
import type { Fault, Scene } from '../fault.ts'
import type { Misdeed } from '../pipelines/wild.ts'
import type { Fact } from '../program.ts'
import type { Strike } from '../recovery.ts'
import { heard, killChildren, midStage, SOON_MS } from '../scene.ts'
import { deafWork, type Work, wildWork } from '../work.ts'

/** While a stage floods its output, others must still be answered within this. */
const ANSWER_MS = 1_000
/** Of 100 MB that pass through it; what is kept of them grows with nothing. */
const MAY_GROW_MB = 80

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
      const { answerMs, grownMb } = await watchFlood(scene)
      if (answerMs > ANSWER_MS)
        scene.found('wrong', `/livez took ${Math.round(answerMs)} ms (p95) while a stage flooded its output`)
      if (grownMb > MAY_GROW_MB)
        scene.found('wrong', `the supervisor grew by ${Math.round(grownMb)} MB while a stage flooded its output`)
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

/** The blow falls when the stage has begun its first attempt: that it says itself, for it may be over before anybody looks. */
async function begin(scene: Scene, work: Work): Promise<{ project: string; strike: Strike }> {
  const { rig, signal } = scene
  const project = await scene.add(work)
  const first = () => readEffects(rig.effects).find((effect) => effect.project === project && effect.attempt === 1)
  const what = 'the stage to say that it has begun'
  const { pid = 0, atMs = 0 } = await until(first, { timeoutMs: SOON_MS, everyMs: 10, signal, what })
  return { project, strike: { atMs, pids: [pid], noticedMs: null } }
}

/** The 95th percentile of the answers' times, and by how much the supervisor grew, until all projects have ended. */
async function watchFlood({ instance, load, signal }: Scene): Promise<{ answerMs: number; grownMb: number }> {
  const { api, pid } = instance()
  const beforeMb = residentMb(pid)
  const times: number[] = []
  let mostMb = beforeMb
  while (load.open().length > 0) {
    const askedMs = performance.now()
    await api.livez({ signal })
    times.push(performance.now() - askedMs)
    mostMb = Math.max(mostMb, residentMb(pid))
    await sleep(20, signal)
  }
  const sorted = times.sort((a, b) => a - b)
  return { answerMs: sorted[Math.floor(sorted.length * 0.95)] ?? 0, grownMb: mostMb - beforeMb }
}

/** VmRSS (proc(5)); 0 for one that has ended. */
function residentMb(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024
  } catch {
    return 0 // which others will find
  }
}
