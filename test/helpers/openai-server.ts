/**
 * A server on loopback that speaks OpenAI's protocol and fails on request. Also a program of its own, so that it
 * outlives the processes that a test kills: `node test/helpers/openai-server.ts [port]` prints its address as JSON.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { twoTurns } from '../../src/lib/until.ts'
import { answerTo, type ChatBody, pictureOf, speechOf, tokensOf } from './openai-answers.ts'
import { type Fault, REFUSALS, type Refusal } from './openai-faults.ts'

/** One request that arrived; `ended`: a whole answer was sent, `left`: the client did not wait for it. */
export type SeenCall = {
  key: string
  path: string
  body: any
  headers: Record<string, string>
  ended: boolean
  left: boolean
}

export type Behaviour = {
  /** Each is used up by one request, in this order; `always` by none. */
  faults: Fault[]
  always: Fault | null
  words: number
  tokenMs: number
}

export type OpenAiServer = AsyncDisposable & {
  /** For OPENAI_BASE_URL. */
  readonly url: string
  readonly calls: SeenCall[]
  readonly behaviour: Behaviour
  /** How often each request key was asked, e.g. to prove that nothing was paid for twice. */
  counts(): Record<string, number>
}

type Exchange = {
  request: IncomingMessage
  response: ServerResponse
  seen: SeenCall
  behaviour: Behaviour
  fault: Fault | null
}

const MIDWAY = 5

export async function startOpenAiServer(port = 0): Promise<OpenAiServer> {
  const calls: SeenCall[] = []
  const behaviour: Behaviour = { faults: [], always: null, words: 40, tokenMs: 0 }
  const counts = () =>
    Object.fromEntries(
      Map.groupBy(calls, (call) => call.key)
        .entries()
        .map(([k, v]) => [k, v.length]),
    )
  const server = createServer((request, response) => {
    response.on('error', () => {}) // the client may leave at any time
    const path = new URL(request.url!, 'http://x').pathname
    const handling = path.startsWith('/control/')
      ? control(path, { request, response, behaviour, calls, counts: counts() })
      : answer(path, { request, response, behaviour, calls })
    handling.catch((error: Error) => response.destroy(error))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    behaviour,
    counts,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

type Arrival = Pick<Exchange, 'request' | 'response' | 'behaviour'> & { calls: SeenCall[] }

/** For tests in another process: `POST /control/behaviour` sets, `GET /control/calls` and `/control/counts` tell. */
async function control(path: string, { request, response, behaviour, calls, counts }: Arrival & { counts: object }) {
  if (path === '/control/behaviour') Object.assign(behaviour, JSON.parse((await bytesOf(request)).toString()))
  const answers: Record<string, unknown> = { '/control/calls': calls, '/control/counts': counts }
  response.setHeader('content-type', 'application/json').end(JSON.stringify(answers[path] ?? behaviour))
}

async function answer(path: string, { request, response, behaviour, calls }: Arrival): Promise<void> {
  const bytes = await bytesOf(request)
  const isJson = request.headers['content-type']?.startsWith('application/json')
  const key = String(request.headers['x-client-request-id'] ?? '')
  const headers = request.headers as Record<string, string>
  const body = isJson ? JSON.parse(bytes.toString()) : null
  const seen: SeenCall = { key, path, body, headers, ended: false, left: false }
  const counted = path !== '/v1/models'
  if (counted) calls.push(seen)
  const fault = (counted ? behaviour.faults.shift() : undefined) ?? behaviour.always
  response.setHeader('x-request-id', `req-${calls.length}`)
  response.once('finish', () => (seen.ended = true))
  response.once('close', () => (seen.left = !response.writableFinished))
  if (fault?.kind === 'reset_before') return void request.socket.resetAndDestroy()
  if (fault?.kind === 'slow_first_byte') await delay(fault.ms)
  if (fault && fault.kind in REFUSALS) return refuse(response, fault as Fault & { kind: keyof typeof REFUSALS })
  const route = ROUTES[path]
  if (!route) return void response.writeHead(404).end('{"error":{"message":"no such route"}}')
  await route({ request, response, seen, behaviour, fault })
}

const ROUTES: Record<string, (exchange: Exchange) => Promise<void>> = {
  '/v1/models': async ({ response }) =>
    json(response, { object: 'list', data: [{ id: 'test-model', object: 'model' }] }),
  '/v1/chat/completions': async (exchange) => (exchange.seen.body.stream ? stream(exchange) : whole(exchange)),
  '/v1/images/generations': async ({ response, seen, fault }) => {
    const picture = fault?.kind === 'not_a_picture' ? Buffer.from('?') : pictureOf(seen.body.prompt, seen.body.size)
    const b64_json = picture.toString('base64')
    json(response, {
      created: 1,
      data: [{ b64_json }],
      usage: { input_tokens: 10, output_tokens: 100, total_tokens: 110 },
    })
  },
  '/v1/audio/speech': async ({ response, seen }) => {
    response.setHeader('content-type', 'audio/wav').end(speechOf(seen.body.input))
  },
  '/v1/audio/transcriptions': async ({ response }) =>
    json(response, {
      text: 'two words',
      language: 'en',
      duration: 1,
      words: [
        { word: 'two', start: 0, end: 0.4 },
        { word: 'words', start: 0.5, end: 1 },
      ],
    }),
}

async function whole({ response, seen, behaviour, fault }: Exchange): Promise<void> {
  const text = fault?.kind === 'answer' ? fault.text : answerTo(seen.body, behaviour.words)
  const message = { role: 'assistant', content: text }
  const choices = [{ index: 0, message, finish_reason: 'stop' }]
  json(response, {
    id: 'chat-1',
    object: 'chat.completion',
    created: 1,
    model: seen.body.model,
    choices,
    usage: usageOf(text),
  })
}

async function stream({ request, response, seen, behaviour, fault }: Exchange): Promise<void> {
  const body = seen.body as ChatBody
  const text = fault?.kind === 'answer' ? fault.text : answerTo(body, behaviour.words)
  const tokens = tokensOf(text)
  const stopAt = fault && 'after' in fault ? fault.after! : MIDWAY
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (choice: object | null, usage: object | null = null) => {
    const choices = choice ? [{ index: 0, finish_reason: null, delta: {}, ...choice }] : []
    const frame = { id: 'chat-1', object: 'chat.completion.chunk', created: 1, model: body.model, choices, usage }
    response.write(`data: ${JSON.stringify(frame)}\n\n`)
  }
  for (const [index, content] of tokens.entries()) {
    if (index === stopAt && fault && (await failMidway({ request, response, fault, send }))) return
    send({ delta: { content } })
    if (behaviour.tokenMs > 0) await delay(behaviour.tokenMs)
    if (response.destroyed) return
  }
  send({ finish_reason: 'stop' })
  if (fault?.kind === 'linger') return
  if (fault?.kind !== 'no_usage' && body.stream_options?.include_usage) send(null, usageOf(text))
  response.end('data: [DONE]\n\n')
}

type Midway = Pick<Exchange, 'request' | 'response'> & { fault: Fault; send: (choice: object) => void }

/** True when nothing more is to be sent. */
async function failMidway({ request, response, fault, send }: Midway): Promise<boolean> {
  if (fault.kind === 'reset_midway') {
    await delay(20) // what was written before must have left this process
    await twoTurns() // and, where the client is in it too, have been read
    request.socket.resetAndDestroy()
  } else if (fault.kind === 'close_early') response.end()
  else if (fault.kind === 'error_frame')
    response.end('data: {"error":{"message":"The server had an error","type":"server_error","code":null}}\n\n')
  else if (fault.kind === 'malformed') response.end('data: {"choices":[{"delta":\n\n')
  else if (fault.kind === 'length' || fault.kind === 'content_filter') {
    send({ finish_reason: fault.kind })
    response.end('data: [DONE]\n\n')
  } else if (fault.kind === 'refusal') {
    send({ delta: { refusal: 'I cannot help with that.' } })
    send({ finish_reason: 'stop' })
    response.end('data: [DONE]\n\n')
  } else return fault.kind === 'stall'
  return true
}

function refuse(
  response: ServerResponse,
  { kind, headers }: Fault & { kind: keyof typeof REFUSALS; headers?: object },
): void {
  const refusal: Refusal = REFUSALS[kind]
  const text = typeof refusal.body === 'string' ? refusal.body : JSON.stringify(refusal.body)
  response.writeHead(refusal.status, { 'content-type': 'application/json', ...refusal.headers, ...headers })
  response.end(text)
}

function json(response: ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
}

/** Made-up but deterministic counts. */
function usageOf(text: string) {
  const completion_tokens = tokensOf(text).length
  return { prompt_tokens: 100, completion_tokens, total_tokens: 100 + completion_tokens }
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

if (import.meta.main) {
  const server = await startOpenAiServer(Number(process.argv[2] ?? 0))
  console.log(JSON.stringify({ url: server.url }))
}
