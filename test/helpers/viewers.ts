/** Viewers of live projects: plain ones that speak each transport by hand, and the typed client's; all keep a record. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import type { EventPage } from '../../src/api/schemas/live.ts'
import { createClient } from '../../src/client/client.ts'
import { sleep, until } from '../../src/lib/until.ts'
import type { LiveMessage } from '../../src/stream/events.ts'
import { createLiveRecord, type LiveRecord, type RecordOptions } from './live-record.ts'

export type Via = 'ws' | 'sse' | 'poll'

export type ViewerPlan = Omit<RecordOptions, 'v'> & {
  url: string
  id: string
  via: Via
  /** 2 when not given. */
  v?: 1 | 2
  /** The typed client in place of the plain transports. */
  typed?: boolean
}

export type Viewer = LiveRecord & {
  readonly name: string
  /** Of the last connection; only a plain viewer on a WebSocket has one. */
  readonly socket: WebSocket | undefined
  /** What the connection itself failed with, if it was not just cut. */
  readonly failure: unknown
  leave(): void
}

/** Follows until the project has ended, and connects again as often as it has to. */
export function startViewer(t: TestContext, plan: ViewerPlan): Viewer {
  const { v = 2, via, typed = false } = plan
  const record = createLiveRecord({ ...plan, v })
  const leaving = new AbortController()
  t.after(() => leaving.abort())
  const line: Line = { ...plan, v, cursor: undefined, socket: undefined, record, signal: leaving.signal }
  let failure: unknown
  const following = typed ? followTyped(line) : followPlain(line)
  following.catch((error) => {
    if (!leaving.signal.aborted) failure = error
  })
  return Object.defineProperties({ name: `${typed ? 'typed' : 'plain'} ${via} v${v}`, leave: () => leaving.abort() }, {
    ...Object.getOwnPropertyDescriptors(record),
    socket: { get: () => line.socket },
    failure: { get: () => failure },
  } as PropertyDescriptorMap) as Viewer
}

/** One of each kind. */
export function startAllKinds(t: TestContext, plan: Omit<ViewerPlan, 'via' | 'v' | 'typed'>): Viewer[] {
  return KINDS.map((kind) => startViewer(t, { ...plan, ...kind }))
}

export const KINDS: readonly Pick<ViewerPlan, 'via' | 'v' | 'typed'>[] = [
  { via: 'ws', v: 1 },
  { via: 'sse', v: 2 },
  { via: 'poll', v: 1 },
  { via: 'ws', v: 2, typed: true },
  { via: 'sse', v: 2, typed: true },
  { via: 'poll', v: 2, typed: true },
]

export async function untilAll(
  viewers: readonly Viewer[],
  test: (viewer: Viewer) => boolean,
  { timeoutMs, what }: { timeoutMs: number; what: string },
): Promise<void> {
  try {
    await until(() => viewers.every(test), { timeoutMs, everyMs: 20, what })
  } catch (error) {
    const late = viewers.filter((viewer) => !test(viewer)).map(describe)
    throw new Error(`${late.length} of ${viewers.length} viewers still wait:\n${late.join('\n')}`, { cause: error })
  }
}

/** Everyone has seen the end, exactly `text`, and no breach of the rules. */
export async function assertTold(viewers: readonly Viewer[], stage: string, text: string): Promise<void> {
  await untilAll(viewers, (viewer) => viewer.isOver, { timeoutMs: 30_000, what: 'the viewers to see the end' })
  for (const viewer of viewers) {
    assert.deepEqual(viewer.problems, [], viewer.name)
    assert.equal(viewer.failure, undefined, viewer.name)
    assert.equal(viewer.done.get(stage)?.full_text, text, viewer.name)
    assert.equal(viewer.texts.get(stage) ?? '', text, viewer.name)
  }
}

function describe({ name, counts, texts, last, problems, failure }: Viewer): string {
  const lengths = Object.fromEntries([...texts].map(([stage, text]) => [stage, text.length]))
  return JSON.stringify({ name, counts, lengths, problems, failure: String(failure), last }).slice(0, 800)
}

type Line = {
  url: string
  id: string
  via: Via
  v: 1 | 2
  record: LiveRecord
  signal: AbortSignal
  /** Where to go on, `<epoch>-<seq>`. */
  cursor: string | undefined
  socket: WebSocket | undefined
}

async function followTyped({ url, id, via, v, record, signal }: Line): Promise<void> {
  for await (const message of createClient({ url }).events(id, { transport: via, v, signal })) record.take(message)
}

const AGAIN_MS = 50

async function followPlain(line: Line): Promise<void> {
  while (!line.record.isOver) {
    const cut = await CONNECT[line.via](line).catch((error: unknown) => error)
    line.signal.throwIfAborted()
    if (cut instanceof Refused) throw cut
    await sleep(AGAIN_MS, line.signal)
  }
}

class Refused extends Error {}

const CONNECT: Record<Via, (line: Line) => Promise<unknown>> = { ws: readSocket, sse: readStream, poll: readPage }

function readSocket(line: Line): Promise<void> {
  const address = new URL(`/ws/projects/${line.id}/`, line.url.replace('http', 'ws'))
  for (const [name, value] of queryOf(line)) address.searchParams.set(name, value)
  const socket = new WebSocket(address)
  line.socket = socket
  let epoch = ''
  const leave = () => socket.terminate()
  line.signal.addEventListener('abort', leave, { once: true })
  socket.on('error', () => {}) // 'close' follows
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as LiveMessage
    if (message.type === 'connected') epoch = message.epoch
    if (message.seq > 0) line.cursor = `${epoch}-${message.seq}`
    line.record.take(message)
    if (line.record.isOver) socket.close()
  })
  return new Promise((resolve) => {
    socket.once('close', () => {
      line.signal.removeEventListener('abort', leave)
      resolve()
    })
  })
}

async function readStream(line: Line): Promise<void> {
  const headers = { Accept: 'text/event-stream', ...(line.cursor !== undefined && { 'Last-Event-ID': line.cursor }) }
  for await (const { message, id } of readEvents(await ask(line, headers))) {
    line.cursor = id ?? line.cursor
    line.record.take(message)
  }
}

export type StreamedEvent = { message: LiveMessage; id: string | undefined }

/** Server-sent events, until the answer ends. */
export async function* readEvents(response: Response): AsyncGenerator<StreamedEvent, void> {
  let rest = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const events = (rest + chunk).split('\n\n')
    rest = events.pop()!
    for (const event of events) {
      const lines = event.split('\n') // not by a pattern: `$` and `.` take U+2028 for the end of a line
      const field = (name: string) => lines.find((text) => text.startsWith(name))?.slice(name.length)
      const data = field('data: ')
      if (data !== undefined) yield { message: JSON.parse(data) as LiveMessage, id: field('id: ') }
    }
  }
}

async function readPage(line: Line): Promise<void> {
  const page = (await (await ask(line, { Accept: 'application/json' })).json()) as EventPage
  line.cursor = page.next
  for (const message of page.events) line.record.take(message as LiveMessage)
}

async function ask(line: Line, headers: Record<string, string>): Promise<Response> {
  const response = await fetch(`${line.url}/api/v1/projects/${line.id}/events?${queryOf(line)}`, {
    headers,
    signal: line.signal,
  })
  if (response.status >= 400 && response.status < 500) throw new Refused(`${response.status} ${await response.text()}`)
  return response
}

function queryOf({ v, via, cursor }: Line): URLSearchParams {
  const query: Record<string, string> = { v: String(v) }
  if (via === 'poll') query.wait = '5'
  if (via !== 'sse' && cursor !== undefined) query.since = cursor
  return new URLSearchParams(query)
}
