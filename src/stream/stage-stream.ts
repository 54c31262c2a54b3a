/** What one attempt streams: text in few pieces, progress not too often, nothing lost while Redis is away. */
import { within } from '../lib/until.ts'
import type { DoneMetadata, ErrorFields } from './events.ts'
import { Outbox, type OutboxEvent } from './outbox.ts'
import type { Claimed, RedisStream } from './redis-stream.ts'

export type StageProgress =
  | { current: number; total: number; progress: number; item_name?: string }
  | { progress: number; message?: string | null }

export type StageStream = {
  /** Never blocks, never throws. */
  text(delta: string): void
  /** At most about ten a second are sent, the last one always. */
  progress(progress: StageProgress): void
  fullText(): string
  /** Sends what is left and the end. Gives up after a second without Redis: the journal has it all. */
  done(metadata: DoneMetadata): Promise<void>
  error(error: ErrorFields): Promise<void>
  /** Sends what is left within half a second, and nothing more. */
  close(): Promise<void>
  /** Fires when a newer claim stands. */
  readonly fenced: AbortSignal
  /** Resolves with the first answer of Redis. */
  readonly begun: Promise<void>
}

const END_MS = 1_000
const CLOSE_MS = 500

export function openStageStream(
  redis: RedisStream,
  about: Claimed,
  { onClosed, onUntold }: { onClosed: () => void; onUntold: () => void },
): StageStream {
  const outbox = new Outbox(redis, about)

  async function end(last: OutboxEvent | undefined, timeoutMs: number): Promise<void> {
    const finished = outbox.finish(last).then(() => true)
    const isTold = await within(finished, timeoutMs, false)
    outbox.abandon()
    if (!isTold && last?.kind === 'done') onUntold()
    onClosed()
  }

  return {
    text: (delta) => outbox.text(delta),
    progress: (progress) => outbox.progress(progressEvent(progress)),
    fullText: () => outbox.fullText(),
    done: (metadata) => end({ kind: 'done', fields: { metadata }, ...SILENT }, END_MS),
    error: (error) => end({ kind: 'error', fields: error, ...SILENT }, END_MS),
    close: () => end(undefined, CLOSE_MS),
    fenced: outbox.fenced.signal,
    begun: outbox.begun.promise,
  }
}

/** Not told on the progress channel. */
const SILENT = { percent: 0, message: null }

/** Counted progress is a message of its own; a percentage with a message is news of the stage. */
function progressEvent(value: StageProgress): OutboxEvent {
  const { progress } = value
  if (!('current' in value)) {
    const message = value.message ?? null
    return {
      kind: 'update',
      fields: { status: 'processing', progress, ...(message && { message }) },
      percent: progress,
      message,
    }
  }
  const { current, total, item_name } = value
  const fields = { current, total, progress, ...(item_name !== undefined && { item_name }) }
  return { kind: 'progress', fields, percent: progress, message: item_name ?? `${current} of ${total}` }
}
