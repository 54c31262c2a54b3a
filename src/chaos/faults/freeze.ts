/** SIGSTOP: processes that are there and do nothing. */
import { readFile } from 'node:fs/promises'
import { sleep, until } from '../../lib/until.ts'
import type { Fault, Scene } from '../fault.ts'
import type { Strike } from '../recovery.ts'
import { expectSameWorkers, heard, midStage, processOf, readyAgain, SOON_MS, strikeAll, workersOf } from '../scene.ts'

const LONG_PACE = { projects: 4, steps: 6, paceMs: 400 }
const STOP_MS = 20_000
/** A lease of 15 s, a lock of 30 s, and the looks of those who find them ended. */
const SUPERSEDED_MS = 60_000

export const FREEZES: readonly Fault[] = [
  {
    id: 'stop-worker',
    what: 'SIGSTOP of a worker in mid-stage (HANG_KILL_S=3)',
    waitsS: 10,
    env: { HANG_KILL_S: '3' },
    async strike(scene) {
      const { owner } = await midStage(scene)
      const atMs = strikeAll([owner.pid], 'SIGSTOP')
      const about = (type: string) => heard(scene, (fact) => fact.type === type && fact.name === owner.worker)
      const noticed = await Promise.race([about('child_suspected'), about('child_hung')])
      await heard(scene, (fact) => fact.type === 'child_exited' && fact.pid === owner.pid)
      return [{ atMs, pids: [owner.pid], noticedMs: noticed.atMs - atMs }]
    },
  },
  {
    id: 'stop-worker-superseded',
    what: 'SIGSTOP of one of two workers until another has its stages (HANG_KILL_S=0), then SIGCONT',
    oursOnly: true,
    waitsS: 45,
    env: { HANG_KILL_S: '0', WORKERS: 'llm,image,batch_processing,maintenance,health:2 video,ai_analysis:1' },
    pace: LONG_PACE,
    strike: supersede,
  },
  {
    id: 'stop-redis',
    what: 'SIGSTOP of Redis for 20 s',
    waitsS: 30,
    pace: LONG_PACE,
    async strike(scene) {
      await midStage(scene)
      const before = await workersOf(scene)
      const { pid } = await processOf(scene, 'redis')
      const atMs = strikeAll([pid], 'SIGSTOP')
      const noticed = heard(scene, (fact) => fact.type === 'redis_changed' && fact.running === false)
      noticed.catch(() => {}) // awaited below, after Redis goes on
      // Its end comes first, as of everybody who is stopped for longer than HANG_KILL_S.
      await sleep(STOP_MS, scene.signal).finally(() => strikeAll([pid], 'SIGCONT'))
      const { atMs: noticedAt } = await noticed
      await readyAgain(scene, 'redis', atMs)
      await heard(scene, (fact) => fact.type === 'redis_changed' && fact.running === true)
      await expectSameWorkers(scene, before)
      return [{ atMs, pids: [pid], noticedMs: noticedAt - atMs }]
    },
  },
  {
    id: 'stop-supervisor',
    what: 'SIGSTOP of the supervisor for 20 s (HANG_KILL_S=3)',
    waitsS: 35,
    env: { HANG_KILL_S: '3' },
    pace: LONG_PACE,
    async strike(scene) {
      await midStage(scene)
      const before = await workersOf(scene)
      const { pid } = scene.instance()
      const atMs = strikeAll([pid], 'SIGSTOP')
      await sleep(STOP_MS, scene.signal).finally(() => strikeAll([pid], 'SIGCONT'))
      await sleep(4_000, scene.signal) // longer than a hang may last: a false verdict would have come
      await expectSameWorkers(scene, before)
      return [{ atMs, pids: [pid], noticedMs: null }]
    },
  },
]

/** Its lease ends, somebody else takes its stages over and completes them; what it then wants to write does not count. */
async function supersede(scene: Scene): Promise<Strike[]> {
  const { load, rig, signal } = scene
  const { owner, project, stage } = await midStage(scene)
  const { pid } = owner
  const atMs = strikeAll([pid], 'SIGSTOP')
  try {
    const isElsewhere = () => load.running().some((one) => one.project === project && one.owner.pid !== pid)
    const what = `${stage} of ${owner.worker} to run elsewhere`
    await until(() => isElsewhere() || !load.open().includes(project), { timeoutMs: SUPERSEDED_MS, signal, what })
  } finally {
    strikeAll([pid], 'SIGCONT')
  }
  const what = `${owner.worker} to be refused what it has done`
  await until(() => wasRefused(rig.log, { project, stage, worker: owner.worker }), { timeoutMs: SOON_MS, signal, what })
  const stillThere = (await workersOf(scene)).some((worker) => worker.pid === pid)
  if (!stillThere) scene.found('wrong', `${owner.worker} was ended, though HANG_KILL_S=0`)
  return [{ atMs, pids: [pid], noticedMs: null }]
}

/** The worker says so itself, in its line on how the stage ended. */
async function wasRefused(log: string, who: { project: string; stage: string; worker: string }): Promise<boolean> {
  const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line.includes('"outcome":"superseded"'))
  return lines.some((line) => {
    const { process: worker, project_id: project, stage } = JSON.parse(line) as Record<string, string>
    return worker === who.worker && project === who.project && stage === who.stage
  })
}
