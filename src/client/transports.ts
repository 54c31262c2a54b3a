/** The three ways to get live messages, all alike: each yields until it is cut (throws) or all has been said (returns). */
import type { EventPage } from '../api/schemas/live.ts'
import type { LiveMessage } from '../stream/events.ts'
import { type ClientSettings, callJson } from './call.ts'
import { cutOff, readEvents } from './event-source.ts'
import type { LiveFrame, LiveRequest } from './live-request.ts'
import { pathOf } from './paths.ts'
import { readSocket } from './socket.ts'

export type Transport = 'sse' | 'ws' | 'poll'

export type ReadLive = (settings: ClientSettings, request: LiveRequest) => AsyncGenerator<LiveFrame, void>

export const TRANSPORTS: Record<Transport, ReadLive> = { sse: readStream, ws: readSocket, poll: readPages }

async function* readStream(settings: ClientSettings, { id, signal, ...query }: LiveRequest) {
  for await (const event of readEvents(settings, pathOf(id, 'events'), { query, signal }))
    yield { message: JSON.parse(event.data) as LiveMessage, cursor: event.id }
}

const WAIT_S = 25

async function* readPages(settings: ClientSettings, { id, signal, since, ...rest }: LiveRequest) {
  const patient = { ...settings, timeoutMs: (WAIT_S + 15) * 1000 }
  const headers = { Accept: 'application/json' }
  for (let next = since; ; ) {
    const startedMs = performance.now()
    const query = { ...rest, since: next, wait: WAIT_S }
    const page = await callJson<EventPage>(patient, pathOf(id, 'events'), { query, headers, signal })
    next = page.next
    for (const [i, message] of page.events.entries())
      yield { message: message as LiveMessage, cursor: i === page.events.length - 1 ? next : undefined }
    if (page.closed) return
    // A server that stops answers at once; asking it again at once would only heat the room.
    if (page.events.length === 0 && performance.now() - startedMs < 500) throw cutOff()
  }
}
