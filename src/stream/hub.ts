/** Brings every viewer of a project what its stages make: late, slow, reconnecting or without Redis. */
import type { Log } from '../lib/log.ts'
import type { RedisKeys } from '../redis/keys.ts'
import type { RedisPlace } from '../redis/place.ts'
import type { LiveMessage } from './events.ts'
import type { ProjectSource } from './source.ts'
import type { JoinOptions, Viewer } from './viewer.ts'

export type { ProjectRecord, ProjectSource } from './source.ts'
export type { JoinOptions, Sink, Viewer } from './viewer.ts'

export type PollOptions = { since?: string; stage?: string; v: 1 | 2; waitMs: number; signal: AbortSignal }

/** `next` is the cursor for the next poll; `closed`: the project has ended and nothing more will come. */
export type PollAnswer = { events: LiveMessage[]; next: string; up_to_date: boolean; closed: boolean }

export type HubStats = { viewers: number; projects: number; conflations: number; resumes: Record<string, number> }

export type Hub = {
  /** Writes `connected` and the catch-up, then follows. Throws `not_found` for an unknown project, nothing else. */
  join(id: string, options: JoinOptions): Promise<Viewer>
  poll(id: string, options: PollOptions): Promise<PollAnswer>
  /** True when the project has ended and the cursor is at its end. */
  isAtEnd(id: string, since: string | undefined): Promise<boolean>
  stats(): HubStats
  /** Ends every sink and both connections. */
  close(): Promise<void>
}

export type HubOptions = { place: RedisPlace; keys: RedisKeys; source: ProjectSource; log: Log; now?: () => number }
