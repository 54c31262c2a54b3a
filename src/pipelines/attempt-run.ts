/** What the running of an attempt is given, and how it can end. */
import type { Log } from '../lib/log.ts'
import type { Attempt } from '../project/attempt.ts'
import type { StageError } from '../project/project.ts'
import type { Providers } from '../providers/pick.ts'
import type { StageStream } from '../stream/stage-stream.ts'
import type { StageDefinition } from './define.ts'

/** Why a stage's signal fired; the signal's `reason` is this very string. `ended`: it returned while steps of it ran. */
export type AbortReason = 'cancelled' | 'superseded' | 'soft_time_limit' | 'time_limit' | 'drain' | 'failed' | 'ended'

/** `recycle`: only this process ends, so its stages go on elsewhere at once; `stop`: everything ends. */
export type DrainReason = 'stop' | 'recycle'

export type Drain = {
  /** Null until the worker is told to end; from then on no new step begins. */
  reason(): DrainReason | null
  /** Fires near the end of the drain. */
  signal: AbortSignal
}

export type RunRequest = {
  attempt: Attempt
  stage: StageDefinition
  providers: Providers
  nice: number
  limits: { softS: number; hardS: number }
  log: Log
  /** Hides secrets in what a stage threw, before it is written down and shown. */
  clean: (text: string) => string
  drain: Drain
  /** Ends what programs the stage has started and still starts: it is past its hard limit, or has returned. */
  endPrograms: () => void
  /** The stage's clock begins, with its hard limit in seconds; null: nothing of it runs any more, and the clock is off. */
  onClock: (limitS: number | null) => void
  /** Calls back when this project may have changed; returns how to stop listening. */
  onNudge: (listener: () => void) => () => void
  /** Where the stage's text and progress are seen live. */
  live: LiveStage
}

/** What a running stage says to its viewers; none of it blocks or throws. */
export type LiveStage = Pick<StageStream, 'text' | 'progress' | 'fullText' | 'done' | 'error' | 'close'>

export type Outcome =
  | { kind: 'completed' }
  /** `kept`: the provider asked for it, so no try was spent. */
  | { kind: 'retry'; dueAt: string; kept: boolean; error: StageError }
  | { kind: 'failed'; error: StageError }
  /** `recycle`: it goes on in another process at once. */
  | { kind: 'released'; reason: 'interrupted' | 'disk' | 'quota' | 'recycle' }
  /** Cancelled, rerun or taken over: somebody else's record says how it ended. */
  | { kind: 'superseded' }
  /** Past its hard limit and still not returned: only the end of this process can stop it. */
  | { kind: 'stuck' }
