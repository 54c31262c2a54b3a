/** Finds consumers that are alive and connected and yet take nothing from a queue whose jobs wait for them: pure. */
import type { Backlog } from '../queue/backlog.ts'
import type { QueueName } from '../settings.ts'

/** A ready worker that is not on its way out, at one look. */
export type WorkerLook = {
  name: string
  pid: number
  /** It gives signs of life. */
  isFresh: boolean
  /** Of each queue that it serves: jobs taken since it began, jobs held now, and how many it may hold. */
  queues: Partial<Record<QueueName, { started: number; held: number; slots: number }>>
}

/** `queues` is null when Redis did not answer; `moving` are the slots whose process is being replaced. */
export type Look = {
  queues: Partial<Record<QueueName, Backlog>> | null
  workers: readonly WorkerLook[]
  moving: readonly string[]
}

/** For how long one worker has taken nothing from one queue, and what was done about it in a row. */
type Suspicion = { pid: number; started: number; sinceMs: number; tries: number }

export type Suspicions = { byConsumer: ReadonlyMap<string, Suspicion>; atMs: number }

/** `replace`: a refresh has not helped, so its whole process gives way to a new one. */
export type ConsumerVerdict = { do: 'refresh' | 'replace'; name: string; queue: QueueName; waitedMs: number }

/**
 * A healthy consumer takes a waiting job within milliseconds, and within 5 s when it has missed its wake-up.
 * Three looks at 5 s, less what timers are early.
 */
const STUCK_MS = 14_500
/** Where nothing helps it is tried ever more seldom. */
const MAX_PAUSE_MS = 600_000
/** After a longer pause between two looks it was us who stood still. */
const MAX_GAP_MS = 12_000

export const NO_SUSPICIONS: Suspicions = { byConsumer: new Map(), atMs: Number.NEGATIVE_INFINITY }

export function judgeConsumers(
  before: Suspicions,
  look: Look,
  nowMs: number,
): { suspicions: Suspicions; verdicts: ConsumerVerdict[] } {
  const known = nowMs - before.atMs > MAX_GAP_MS ? NO_SUSPICIONS.byConsumer : before.byConsumer
  const byConsumer = new Map<string, Suspicion>()
  const verdicts: ConsumerVerdict[] = []
  const suspects = [...idleConsumers(look)].map((one) => suspect(one, known, nowMs))
  for (const { key, now, ...one } of suspects) {
    const verdict: ConsumerVerdict = { do: now.tries % 2 === 0 ? 'refresh' : 'replace', ...one }
    const isDue = one.waitedMs >= pauseMs(now.tries) && (verdict.do === 'refresh' || mayReplace(one))
    if (isDue) verdicts.push(verdict)
    byConsumer.set(key, isDue ? { ...now, sinceMs: nowMs, tries: now.tries + 1 } : now)
  }
  return { suspicions: { byConsumer, atMs: nowMs }, verdicts: oncePerProcess(verdicts) }

  /** One process at a time goes, unless there is nobody left who serves the queue meanwhile. */
  function mayReplace({ name, queue }: Pick<ConsumerVerdict, 'name' | 'queue'>): boolean {
    const going = verdicts.flatMap((one) => (one.do === 'replace' ? [one.name] : []))
    if (going.includes(name)) return true
    if (look.moving.includes(name)) return false
    return look.moving.length + going.length === 0 || !isServed(look, queue, suspects)
  }
}

type Suspect = ReturnType<typeof suspect>

function suspect(
  { worker, queue, started }: { worker: WorkerLook; queue: QueueName; started: number },
  known: Suspicions['byConsumer'],
  nowMs: number,
) {
  const key = `${worker.name} ${queue}`
  const now = continued(known.get(key), { pid: worker.pid, started, sinceMs: nowMs, tries: 0 })
  return { key, now, name: worker.name, queue, waitedMs: nowMs - now.sinceMs }
}

/** Somebody alive has the queue and is not known to be stuck. */
function isServed({ workers }: Look, queue: QueueName, suspects: readonly Suspect[]): boolean {
  const stuck = suspects.filter((one) => one.queue === queue && (one.now.tries > 0 || one.waitedMs >= STUCK_MS))
  return workers.some(
    ({ name, isFresh, queues }) => isFresh && queues[queue] && !stuck.some((one) => one.name === name),
  )
}

/** Consumers with a free slot for a job that waits; whoever is not among them is above suspicion. */
function* idleConsumers({ queues, workers }: Look) {
  for (const worker of workers) {
    if (!worker.isFresh) continue
    for (const [name, mine] of Object.entries(worker.queues)) {
      const queue = name as QueueName
      const backlog = queues?.[queue]
      if (backlog && mine.held < mine.slots && hasRoom(backlog)) yield { worker, queue, started: mine.started }
    }
  }
}

function hasRoom({ due, active, limit, paused }: Backlog): boolean {
  return due > 0 && !paused && (limit === null || active < limit)
}

/** Taking a job clears it of all; a new process begins anew, but what was tried before it counts. */
function continued(was: Suspicion | undefined, is: Suspicion): Suspicion {
  if (!was) return is
  if (was.pid !== is.pid) return { ...is, tries: was.tries }
  return was.started === is.started ? was : is
}

function pauseMs(tries: number): number {
  return Math.min(MAX_PAUSE_MS, STUCK_MS * 2 ** Math.max(0, tries - 1))
}

/** A process that is replaced needs no refreshes, and no second replacement. */
function oncePerProcess(verdicts: ConsumerVerdict[]): ConsumerVerdict[] {
  return verdicts.filter((one) => {
    const replaced = verdicts.find(({ name, do: what }) => name === one.name && what === 'replace')
    return replaced === undefined || replaced === one
  })
}
