/** What every transport is asked for, and what it gives. */
import type { LiveMessage } from '../stream/events.ts'

export type LiveRequest = { id: string; stage?: string; since?: string; v: 1 | 2; signal?: AbortSignal }

/** `cursor`: where to go on after this message, when the transport says so itself. */
export type LiveFrame = { message: LiveMessage; cursor?: string }
