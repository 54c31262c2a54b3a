/** The moves that faults are made of: find a victim in the middle of its work, hit it, see it noticed. */
import { sleep } from '../lib/until.ts'
import type { Scene } from './fault.ts'
import type { RunningStage } from './load.ts'
import { killQuietly } from './marked.ts'
import type { Fact } from './program.ts'
import type { Strike } from './recovery.ts'
import { stopFindings } from './stop.ts'

/** For what has to come within seconds. */
export const SOON_MS = 20_000
/** A user's stages say nothing of their middle, so the moment is left to chance. */
export const SOME_MS = 400

/** Resolves when a stage is in the middle of its work, in that worker if one is named. */
export async function midStage({ load, ours, random, signal }: Scene, worker?: string): Promise<RunningStage> {
  const isThere = (stage: RunningStage) => worker === undefined || stage.owner.worker === worker
  const isMiddle = (stage: RunningStage) => !ours || stage.steps > 0
  const found = await load.untilRunning((stage) => isThere(stage) && isMiddle(stage), { timeoutMs: SOON_MS, signal })
  if (!ours) await sleep(random() * SOME_MS, signal)
  return found
}

export type Named = { name: string; pid: number }

export async function workersOf(scene: Scene): Promise<Named[]> {
  const { data } = await scene.instance().api.status({ signal: scene.signal })
  return (data.services.worker.workers ?? []).flatMap(({ name, pid }) => (pid ? [{ name, pid }] : []))
}

/** Throws when there is none, for then the fault cannot be carried out. */
export async function processOf(scene: Scene, service: 'redis' | 'scheduler'): Promise<Named> {
  const { data } = await scene.instance().api.status({ signal: scene.signal })
  const { pid } = data.services[service]
  if (!pid) throw new Error(`there is no process ${service}`)
  return { name: service, pid }
}

/** All processes but the supervisor; also those that stages have started. */
export async function childrenOf({ rig, instance }: Scene): Promise<number[]> {
  return (await rig.pids()).filter((pid) => pid !== instance().pid)
}

/** Those of whose end the program tells: Redis, if it is its own, the workers and the scheduler. */
export async function supervisedOf(scene: Scene): Promise<number[]> {
  const { redis, scheduler } = (await scene.instance().api.status({ signal: scene.signal })).data.services
  const workers = await workersOf(scene)
  return [redis.pid, ...workers.map(({ pid }) => pid), scheduler.pid].flatMap((pid) => pid ?? [])
}

/** Sends the signal to all, and gives the moment just before. */
export function strikeAll(pids: readonly number[], signal: NodeJS.Signals): number {
  const atMs = Date.now()
  for (const pid of pids) killQuietly(pid, signal)
  return atMs
}

/** SIGKILL of children, noticed when the program has said of each that it supervises that it ended. */
export async function killChildren(
  scene: Scene,
  pids: readonly number[],
  supervised: readonly number[] = pids,
): Promise<Strike> {
  const atMs = strikeAll(pids, 'SIGKILL')
  const told = supervised.map((pid) => heard(scene, (fact) => fact.type === 'child_exited' && fact.pid === pid))
  const last = Math.max(...(await Promise.all(told)).map((fact) => fact.atMs))
  return { atMs, pids, noticedMs: last - atMs }
}

export function heard(scene: Scene, test: (fact: Fact) => boolean): Promise<Fact> {
  return heardWithin(scene, SOON_MS, test)
}

export function heardWithin({ instance, signal }: Scene, timeoutMs: number, test: (fact: Fact) => boolean) {
  return instance().said(test, { timeoutMs, signal })
}

/** Until a child that was hit is ready again, so that the next blow hits a whole system. */
export async function readyAgain(scene: Scene, name: string, atMs: number): Promise<void> {
  await heard(scene, (fact) => fact.type === 'child_ready' && fact.name === name && fact.atMs >= atMs)
}

/** Watches that nothing is replaced that should live on. */
export async function expectSameWorkers(scene: Scene, before: readonly Named[]): Promise<void> {
  const after = await workersOf(scene)
  for (const { name, pid } of before)
    if (!after.some((worker) => worker.name === name && worker.pid === pid))
      scene.found('wrong', `${name} was replaced, though nothing was wrong with it`)
}

/** A new start after a stop in good order: it must find nothing, for what it ends nobody else would see. */
export async function startAfterStop(scene: Scene): Promise<void> {
  for (const { kind, text } of await stopFindings(scene.rig)) scene.found(kind, text)
  const { facts } = await scene.startAgain()
  const swept = facts.find((fact) => fact.type === 'survivors_ended')
  if (!swept) return
  const who = (swept.survivors ?? []).map(({ command, pid }) => `${command} ${pid}`).join(', ')
  scene.found('left', `the next start had to end what the stop had left: ${who}`)
}
