/** Long polling: a viewer that leaves with the first thing it gets. */
import { sleep } from '../lib/until.ts'
import type { LiveMessage } from './events.ts'
import type { LiveViewer, Sink } from './viewer.ts'

export type Polled = { events: LiveMessage[]; next: string; up_to_date: boolean; closed: boolean }

/** A client that continues where it was is not told so: that is what it asked for. */
export async function pollOnce(
  join: (sink: Sink) => Promise<LiveViewer>,
  { waitMs, signal }: { waitMs: number; signal: AbortSignal },
): Promise<Polled> {
  const events: LiveMessage[] = []
  const news = new AbortController()
  const viewer = await join({
    writable: () => true,
    write(frame) {
      const message = JSON.parse(frame.toString()) as LiveMessage
      if (message.type === 'connected' && message.recovered) return
      events.push(message)
      news.abort()
    },
    whenWritable: (callback) => callback(),
    end: () => news.abort(),
  })
  try {
    if (!viewer.isAtEnd) await sleep(waitMs, AbortSignal.any([news.signal, signal])).catch(() => {}) // that is the point
    return { events, next: viewer.cursor, up_to_date: true, closed: viewer.isAtEnd }
  } finally {
    viewer.leave()
  }
}
