/** How soon, how often and at what size viewers get what stages stream. */
import type { Redis } from 'ioredis'
import type { WebSocket } from 'ws'
import { sleep, until } from '../../src/lib/until.ts'
import { openRedis } from '../../src/redis/client.ts'
import type { Bench, Benchmark, Finding } from './benchmark.ts'
import { startRedis } from './redis.ts'
import { type LiveBench, openLiveBench, openSockets, PROJECT_ID, sinkOf } from './stream-parts.ts'

const EMITS = 60
/** Longer than the coalescing window, so that it is not what is measured. */
const PAUSE_MS = 50
const VIEWERS = 100
const TOKENS = 4_000
const TOKEN = 'tok. '
const PER_SECOND = 1_000

export const stream: Benchmark = {
  name: 'stream',
  what: `a token until its viewer has it, and ${TOKENS} tokens to ${VIEWERS} sockets, beside a bare XREAD with ws`,
  goal: 'median ≤ 3 ms, p95 ≤ 30 ms; ≥ 100,000 deliveries/s and ≥ 1.0× bare; ≤ 0.5 MB per viewer with v=2',
  runs: 3,
  async run(bench) {
    await using redis = await startRedis(await bench.folder(), bench.signal)
    await using live = await openLiveBench(redis.url)
    const bare = openRedis({ url: redis.url }, 'blocking')
    try {
      return await measure(bench, live, bare)
    } finally {
      bare.disconnect()
    }
  },
}

async function measure(bench: Bench, live: LiveBench, bare: Redis): Promise<Finding[]> {
  const latency = { ours: [] as number[], reference: [] as number[] }
  const rate = { ours: [] as number[], reference: [] as number[] }
  const bytes: number[] = []
  for (let run = 1; run <= bench.runs; run++) {
    bench.say(`run ${run} of ${bench.runs}`)
    latency.ours.push(...(await timeOurs(live, bench.signal)))
    latency.reference.push(...(await timeBare(live.redis, bare, bench.signal)))
    rate.ours.push(await rateOurs(live))
    rate.reference.push(await rateBare(live.redis, bare))
    bytes.push(await bytesPerViewer(live, bench.signal))
  }
  return [
    { name: 'emit to viewer', unit: 'ms', statistic: 'median', ...latency, goal: { of: 'ours', atMost: 3 } },
    { name: 'emit to viewer, p95', unit: 'ms', statistic: 'p95', ...latency, goal: { of: 'ours', atMost: 30 } },
    { name: 'deliveries', unit: '/s', statistic: 'median', ...rate, goal: { of: 'ours', atLeast: 100_000 } },
    { name: 'deliveries, beside bare', unit: '/s', statistic: 'median', ...rate, goal: { of: 'ratio', atLeast: 1 } },
    {
      name: '18 KB, v=2',
      unit: 'MB',
      statistic: 'median',
      ours: bytes,
      reference: [],
      goal: { of: 'ours', atMost: 0.5 },
    },
  ]
}

async function timeOurs({ hub, open }: LiveBench, signal: AbortSignal): Promise<number[]> {
  let seenMs = 0
  const write = () => {
    seenMs = performance.now()
  }
  const sink = { writable: () => true, write, whenWritable: () => {}, end: () => {} }
  const viewer = await hub.join(PROJECT_ID, { v: 2, sink })
  const attempt = await open()
  const samples = await timeEach(signal, {
    emit: () => attempt.text(TOKEN),
    seenAfter: (fromMs) => seenMs > fromMs && seenMs - fromMs,
  })
  viewer.leave()
  await attempt.close()
  return samples
}

async function timeBare(redis: Redis, bare: Redis, signal: AbortSignal): Promise<number[]> {
  let seenMs = 0
  let stopped = false
  const reading = readAll(
    bare,
    () => !stopped,
    () => {
      seenMs = performance.now()
    },
  )
  const samples = await timeEach(signal, {
    emit: () => void redis.xadd('bare', '*', 'd', TOKEN),
    seenAfter: (fromMs) => seenMs > fromMs && seenMs - fromMs,
  })
  stopped = true
  await redis.xadd('bare', '*', 'd', '')
  await reading
  return samples
}

type Probe = { emit(): void; seenAfter(fromMs: number): number | false }

async function timeEach(signal: AbortSignal, { emit, seenAfter }: Probe): Promise<number[]> {
  const samples: number[] = []
  for (let i = 0; i < EMITS; i++) {
    await sleep(PAUSE_MS, signal)
    const fromMs = performance.now()
    emit()
    samples.push(await until(() => seenAfter(fromMs), { timeoutMs: 5_000, everyMs: 1, signal, what: 'the token' }))
  }
  return samples
}

async function readAll(bare: Redis, goesOn: () => boolean, onRows: (texts: string[]) => void): Promise<void> {
  let last = '$'
  while (goesOn()) {
    const reply = await bare.xread('COUNT', 500, 'BLOCK', 2_000, 'STREAMS', 'bare', last)
    const rows = reply?.[0]?.[1] ?? []
    if (rows.length > 0) last = rows.at(-1)![0]
    onRows(rows.map(([, fields]) => fields[1]!))
  }
}

/** All tokens as fast as they can be emitted, until the last of the viewers has them. */
async function rateOurs({ hub, open }: LiveBench): Promise<number> {
  await using parts = await openSockets(VIEWERS)
  const attempt = await open()
  for (const socket of parts.sockets) await hub.join(PROJECT_ID, { v: 2, sink: sinkOf(socket) })
  const all = received(parts.clients, (message) =>
    message.type === 'token' ? message.offset + message.content.length : 0,
  )
  const fromMs = performance.now()
  for (let i = 0; i < TOKENS; i++) {
    attempt.text(TOKEN)
    if (i % 50 === 0) await new Promise(setImmediate)
  }
  await all(TOKENS * TOKEN.length)
  const seconds = (performance.now() - fromMs) / 1_000
  await attempt.close()
  return (TOKENS * VIEWERS) / seconds
}

async function rateBare(redis: Redis, bare: Redis): Promise<number> {
  await using parts = await openSockets(VIEWERS)
  let length = 0
  const all = received(parts.clients, ({ content }) => content.length, true)
  const reading = readAll(
    bare,
    () => length < TOKENS * TOKEN.length,
    (texts) => {
      for (const content of texts) {
        length += content.length
        const frame = Buffer.from(JSON.stringify({ type: 'token', content, project_id: PROJECT_ID }))
        for (const socket of parts.sockets) socket.send(frame, { binary: false })
      }
    },
  )
  await new Promise(setImmediate)
  const fromMs = performance.now()
  for (let i = 0; i < TOKENS; i++) {
    void redis.xadd('bare', '*', 'd', TOKEN)
    if (i % 50 === 0) await new Promise(setImmediate)
  }
  await all(TOKENS * TOKEN.length)
  const seconds = (performance.now() - fromMs) / 1_000
  await reading
  return (TOKENS * VIEWERS) / seconds
}

/** Resolves when every client has the whole text. */
function received(clients: WebSocket[], lengthOf: (message: any) => number, sums = false) {
  const lengths = clients.map(() => 0)
  for (const [i, client] of clients.entries())
    client.on('message', (data) => {
      const length = lengthOf(JSON.parse(String(data)))
      lengths[i] = sums ? lengths[i]! + length : Math.max(lengths[i]!, length)
    })
  return (whole: number) =>
    until(() => lengths.every((length) => length >= whole), { timeoutMs: 60_000, everyMs: 1, what: 'all texts' })
}

/** At the pace of a fast model: the number of frames depends on it. */
async function bytesPerViewer({ hub, open }: LiveBench, signal: AbortSignal): Promise<number> {
  let bytes = 0
  const attempt = await open()
  const write = (frame: Buffer | string) => {
    bytes += Buffer.byteLength(frame)
  }
  const viewer = await hub.join(PROJECT_ID, {
    v: 2,
    sink: { writable: () => true, write, whenWritable() {}, end() {} },
  })
  const perTick = PER_SECOND / 100
  for (let i = 0; i < TOKENS; i += perTick) {
    attempt.text(TOKEN.repeat(perTick))
    await sleep(10, signal)
  }
  await attempt.done({ latency_ms: 0, tokens_used: TOKENS, model: 'bench' })
  await sleep(100, signal)
  viewer.leave()
  return bytes / 1_048_576
}
