/** Waiting for a project's end by polling: tells every change once and rides out a restart of the server. */
import type { Project } from '../api/schemas/project.ts'
import { AppError } from '../lib/errors.ts'
import { until } from '../lib/until.ts'
import { ENDED } from '../project/project.ts'

export type WaitOptions = {
  signal?: AbortSignal
  /** One day when not given. */
  timeoutMs?: number
  everyMs?: number
  /** For how long nobody may answer before that is an error; 30 s when not given. */
  absentMs?: number
  /** Called for each new revision. */
  onState?: (state: Project) => void
}

const DAY_MS = 24 * 3600 * 1000

type Read = (signal: AbortSignal | undefined) => Promise<Project>

/** Throws `timeout` at the deadline, the signal's reason, and what `read` throws for longer than `absentMs`. */
export async function waitForEnd(read: Read, options: WaitOptions = {}): Promise<Project> {
  const { signal, timeoutMs = DAY_MS, everyMs = 250 } = options
  const readPatiently = createPatience(() => read(signal), options.absentMs ?? 30_000)
  let revision = -1
  const probe = async () => {
    const state = await readPatiently()
    if (state && state.revision !== revision) {
      revision = state.revision
      options.onState?.(state)
    }
    return state && ENDED.has(state.status) ? state : undefined
  }
  return until(probe, { timeoutMs, everyMs, signal, what: 'the project to end' })
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
