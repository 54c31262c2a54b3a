/** A viewer as a client of the contract would be: applies messages by offset, and notes whatever does not fit. */
import type { LiveMessage } from '../../src/stream/events.ts'
import type { Sink } from '../../src/stream/viewer.ts'

export type TestClient = ReturnType<typeof createClient>

export function createClient() {
  const messages: any[] = []
  const texts: Record<string, string> = {}
  const faults: string[] = []
  const client = {
    messages,
    texts,
    faults,
    done: {} as Record<string, string>,
    statuses: {} as Record<string, string>,
    cursor: undefined as string | undefined,
    ended: false,
    /** The connection breaks after so many frames, unnoticed by the hub. */
    framesLeft: Infinity,
    bytes: 0,
    full: false,
    ready: undefined as (() => void) | undefined,
    /** Messages of a type, of a stage. */
    of: (type: LiveMessage['type'], stage?: string) =>
      messages.filter((m) => m.type === type && (stage === undefined || m.stage === stage)),
    sink: undefined as unknown as Sink,
    resume() {
      client.full = false
      client.ready?.()
    },
    /** A new connection of the same client: what it holds stays. */
    connect(): Sink {
      client.full = false
      client.framesLeft = Infinity
      client.sink = sinkOf(client)
      return client.sink
    },
  }
  return client
}

function sinkOf(client: TestClient): Sink {
  const sink: Sink = {
    writable: () => !client.full || client.sink !== sink,
    write(frame, cursor) {
      if (client.sink !== sink || client.framesLeft-- <= 0) return
      client.bytes += Buffer.byteLength(frame)
      if (cursor !== '') client.cursor = cursor
      const message = JSON.parse(frame.toString())
      client.messages.push(message)
      apply(client, message)
    },
    whenWritable: (callback) => {
      client.ready = callback
    },
    end: () => {
      client.ended = true
    },
  }
  return sink
}

function apply(client: TestClient, message: any): void {
  const { texts, faults } = client
  if (message.type === 'stage_update') client.statuses[message.stage] = message.status
  if (message.type === 'done') {
    client.done[message.stage] = message.full_text
    if (message.full_text !== texts[message.stage]) faults.push(`done of ${message.stage} has another text`)
  }
  if (message.type !== 'token') return
  const { stage, content, offset } = message
  const own = message.snapshot ? '' : (texts[stage] ?? '')
  if (offset > own.length) faults.push(`a gap in ${stage}: ${own.length} < ${offset}`)
  texts[stage] = message.snapshot ? content : own + content.slice(Math.max(0, own.length - offset))
  if (message.full_text !== undefined && message.full_text !== texts[stage])
    faults.push(`full_text of ${stage} differs`)
}
