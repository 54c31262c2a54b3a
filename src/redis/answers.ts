/** Knows how long Redis has been silent, from the bytes that come in anyway: it asks nothing. */
import type { Redis } from 'ioredis'

/**
 * Seconds since `connection` was seen to receive something, as of the last call; call it about once a
 * second. While its commands come seldom (BullMQ's every five seconds) a few seconds are no silence.
 */
export function watchAnswers(connection: Redis, now: () => number = () => performance.now()): () => number {
  let heardMs = now()
  let last: { stream: unknown; bytes: number } = { stream: null, bytes: 0 }
  return () => {
    const stream = connection.stream as { bytesRead?: number } | undefined
    const bytes = stream?.bytesRead ?? 0
    if (bytes > 0 && (stream !== last.stream || bytes !== last.bytes)) heardMs = now()
    last = { stream, bytes }
    return Math.round((now() - heardMs) / 100) / 10
  }
}
