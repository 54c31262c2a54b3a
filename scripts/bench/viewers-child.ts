/** Viewers in a process of their own, so that what they cost is not charged to what is measured. */
import { WebSocket } from 'ws'
import { mapLimit } from '../../src/lib/map-limit.ts'
import { wallMs } from './clock.ts'

/** Handshakes under way at a time; a listener's backlog is not what is measured. */
const OPENING = 50
const OPEN_MS = 10_000

type Frame = { type: string; content?: string; seq: number }

const [url, count] = process.argv.slice(2)
/** By seq: how far behind its oldest token a frame reached the slowest viewer. */
const lagsMs = new Map<number, number>()
const bytes: number[] = []

await mapLimit(Array.from({ length: Number(count) }), OPENING, view)
say({ connected: Number(count) })

/** Resolves with the viewer's first frame. */
function view(): Promise<void> {
  const opened = Promise.withResolvers<void>()
  const socket = new WebSocket(url!, { handshakeTimeout: OPEN_MS, perMessageDeflate: false })
  let received = 0
  socket.once('error', opened.reject)
  socket.once('close', (code) => {
    throw new Error(`A viewer was closed with ${code}`)
  })
  socket.once('message', () => opened.resolve())
  socket.on('message', (data: Buffer) => {
    const nowMs = wallMs()
    received += data.length + headerBytes(data.length)
    const frame = JSON.parse(data.toString()) as Frame
    if (frame.type === 'token') note(frame, nowMs)
    if (frame.type === 'done') end(received)
  })
  return opened.promise
}

/** Tokens of `bench-talk` are the moments at which they were emitted; the first one of a frame has waited longest. */
function note({ content = '', seq }: Frame, nowMs: number): void {
  const emittedMs = Number.parseFloat(content)
  if (emittedMs > 0) lagsMs.set(seq, Math.max(lagsMs.get(seq) ?? -Infinity, nowMs - emittedMs))
}

function end(received: number): void {
  bytes.push(received)
  if (bytes.length < Number(count)) return
  const inOrder = [...lagsMs].sort(([a], [b]) => a - b)
  say({ lagsMs: inOrder.map(([, lagMs]) => Math.round(lagMs * 1_000) / 1_000), bytes })
}

/** Of a frame from a server (RFC 6455, 5.2): no mask. */
function headerBytes(length: number): number {
  if (length < 126) return 2
  return length < 65_536 ? 4 : 10
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
