/** Waiting for a project's end: looks when a live message says that something changed, and now and then without one. */
import type { Project } from '../api/schemas/project.ts'
import { AppError } from '../lib/errors.ts'
import { ENDED } from '../project/project.ts'
import type { LiveMessage } from '../stream/events.ts'
import { pause } from './pause.ts'

export type WaitOptions = {
  signal?: AbortSignal
  /** One day when not given. */
  timeoutMs?: number
  /** How often to look while there are no live messages; with them, eight times as seldom. */
  everyMs?: number
  /** For how long nobody may answer before that is an error; 30 s when not given. */
  absentMs?: number
  /** Called for each new revision. */
  onState?: (state: Project) => void
  /** Called for each live message. */
  onMessage?: (message: LiveMessage) => void
}

export type WaitSource = {
  read: (signal: AbortSignal | undefined) => Promise<Project>
  watch: (signal: AbortSignal) => AsyncIterable<LiveMessage>
}

const DAY_MS = 24 * 3600 * 1000
const LIVE_FACTOR = 8

/** Throws `timeout` at the deadline, the signal's reason, and what `read` throws for longer than `absentMs`. */
export async function waitForEnd({ read, watch }: WaitSource, options: WaitOptions = {}): Promise<Project> {
  const { signal, timeoutMs = DAY_MS, everyMs = 250, onState } = options
  const readPatiently = createPatience(() => read(signal), options.absentMs ?? 30_000)
  const deadlineMs = performance.now() + timeoutMs
  const changes = followChanges(watch, options)
  let revision = -1
  try {
    for (;;) {
      const state = await readPatiently()
      if (state && ENDED.has(state.status)) await changes.settle()
      if (state && state.revision !== revision) {
        revision = state.revision
        onState?.(state)
      }
      if (state && ENDED.has(state.status)) return state
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) throw new AppError('timeout', `Waited ${timeoutMs} ms for the project to end`)
      await changes.next(Math.min(leftMs, everyMs), signal)
    }
  } finally {
    changes.stop()
  }
}

/** Messages can be many; the state is read at most so often for them. */
const SPACING_MS = 100

/** What was said before the end may still be on its way when the end is read. */
const SETTLE_MS = 1_000

type Changes = {
  next(everyMs: number, signal: AbortSignal | undefined): Promise<void>
  /** Resolves when all live messages of an ended project have been heard, within a second. */
  settle(): Promise<void>
  stop(): void
}

function followChanges(watch: WaitSource['watch'], { signal, onMessage }: WaitOptions): Changes {
  const stopped = new AbortController()
  let live = false
  let changed = false
  let wake = new AbortController()
  const follow = async () => {
    for await (const message of watch(signal ? AbortSignal.any([signal, stopped.signal]) : stopped.signal)) {
      live = true
      onMessage?.(message)
      if (message.type === 'token') continue
      changed = true
      wake.abort()
    }
  }
  // Without live messages the state is looked at more often; what is wrong is said by reading it.
  const ignored = () => {
    live = false
  }
  const heard = follow().then(ignored, ignored)
  return {
    stop: () => stopped.abort(),
    async settle() {
      if (!onMessage) return
      const heardAll = new AbortController()
      await Promise.race([heard, pause(SETTLE_MS, heardAll.signal).catch(() => {})]) // ended early by the next line
      heardAll.abort()
    },
    async next(everyMs, outer) {
      await pause(Math.min(everyMs, SPACING_MS), outer)
      if (changed) {
        changed = false
        return
      }
      wake = new AbortController()
      const either = outer ? AbortSignal.any([outer, wake.signal]) : wake.signal
      await pause(live ? everyMs * LIVE_FACTOR : Math.max(0, everyMs - SPACING_MS), either).catch(() =>
        outer?.throwIfAborted(),
      )
      changed = false
    },
  }
}

/** Undefined while nobody answers, until that has lasted too long. */
function createPatience<T>(read: () => Promise<T>, absentMs: number): () => Promise<T | undefined> {
  let sinceMs: number | undefined
  return async () => {
    try {
      const value = await read()
      sinceMs = undefined
      return value
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'unavailable') throw error
      sinceMs ??= performance.now()
      if (performance.now() - sinceMs >= absentMs) throw error
      return undefined
    }
  }
}
