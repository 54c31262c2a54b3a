/** Live messages as async iterators that connect again and go on where they were. */
import { type Backoff, backoffMs } from '../lib/backoff.ts'
import { AppError, ERRORS } from '../lib/errors.ts'
import { ENDED } from '../project/project.ts'
import type { LiveMessage, Progress, ProjectUpdate, StageUpdate } from '../stream/events.ts'
import type { ClientSettings } from './call.ts'
import { createKnownText } from './known-text.ts'
import { pause } from './pause.ts'
import { TRANSPORTS, type Transport } from './transports.ts'

export type EventsOptions = {
  /** Only this stage. */
  stage?: string
  /** Goes on after this cursor, `<epoch>-<seq>`. */
  since?: string
  signal?: AbortSignal
  /** 1 brings `full_text` with every token; 2, when not given, only at the end. */
  v?: 1 | 2
  transport?: Transport
}

export type TextOptions = Pick<EventsOptions, 'signal' | 'transport'>

const RECONNECT: Backoff = { firstMs: 200, factor: 2, maxMs: 5_000 }

/**
 * Every message once and in order, until the project has ended. Throws the signal's reason and what trying again
 * cannot change (`not_found`, `unauthorized`, …).
 */
export async function* followEvents(settings: ClientSettings, id: string, options: EventsOptions = {}) {
  const { stage, v = 2, signal, transport = 'sse' } = options
  const known = createKnownText()
  const place = createPlace(options.since)
  for (let failures = 0; ; ) {
    let complete = true
    try {
      for await (const frame of TRANSPORTS[transport](settings, { id, stage, v, since: place.cursor, signal })) {
        failures = 0
        const message = known.take(frame.message)
        if (message === 'gap') {
          place.forget() // the next connection begins with everything
          complete = false
          break
        }
        place.move(frame.message, frame.cursor)
        if (message) yield message
        if (isLast(frame.message)) return
      }
      if (complete) return
    } catch (error) {
      signal?.throwIfAborted()
      if (!isPassing(error)) throw error
    }
    await pause(backoffMs(++failures, RECONNECT), signal)
  }
}

/** The text of a stage, whole, each time it has grown. Throws `stage_failed` or `cancelled` when it came to nothing. */
export async function* followText(
  settings: ClientSettings,
  place: { id: string; stage: string },
  options?: TextOptions,
) {
  let text = ''
  for await (const message of followEvents(settings, place.id, { ...options, stage: place.stage })) {
    const before = text
    text = textAfter(before, message)
    if (text !== before) yield text
    if (message.type === 'done') return
    if (message.type === 'error' && !message.will_retry) throw new AppError('stage_failed', message.error)
    if (message.type === 'stage_update' && message.status === 'cancelled')
      throw new AppError('cancelled', `Stage ${place.stage} was cancelled`)
  }
}

/** How a project is getting on, without its texts. */
export async function* followProgress(
  settings: ClientSettings,
  id: string,
  options?: EventsOptions,
): AsyncGenerator<Progress | StageUpdate | ProjectUpdate, void> {
  for await (const message of followEvents(settings, id, options))
    if (message.type === 'progress' || message.type === 'stage_update' || message.type === 'project_update')
      yield message
}

function textAfter(text: string, message: LiveMessage): string {
  if (message.type === 'done') return message.full_text
  if (message.type !== 'token') return text
  return message.snapshot ? message.content : text + message.content
}

/** Where to go on: what the transport says, else what the messages say themselves. */
function createPlace(since: string | undefined) {
  let cursor = since
  let epoch = since?.split('-')[0]
  return {
    get cursor() {
      return cursor
    },
    move(message: LiveMessage, said: string | undefined) {
      if (message.type === 'connected') epoch = message.epoch
      // In the middle of a catch-up messages have no number: going on from there would leave the rest out.
      const own = epoch === undefined || message.seq === undefined ? cursor : `${epoch}-${message.seq}`
      cursor = said ?? own
    },
    forget() {
      cursor = undefined
    },
  }
}

function isLast(message: LiveMessage): boolean {
  return message.type === 'project_update' && ENDED.has(message.status)
}

/** What the next try may find gone: no connection, a restart, a full house. */
function isPassing(error: unknown): boolean {
  return error instanceof AppError && ERRORS[error.code].status >= 500
}
