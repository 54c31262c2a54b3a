/** Viewers that come, break off, stall and come back at random, while Redis loses everything: every text is exact. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sleep } from '../../src/lib/until.ts'
import type { Hub, Viewer } from '../../src/stream/hub.ts'
import type { StageStream } from '../../src/stream/stage-stream.ts'
import { createClient, type TestClient } from './client.ts'
import { openHub, openLive, sees, startStage } from './live.ts'

const STAGES = ['a', 'b', 'c']
const WORDS = ['word ', '漢字', '😀', '🎬 film', 'é', '"\\\n"', '👩‍👩‍👧‍👦 ']
const STEPS = 400

for (const seed of [1, 2, 3])
  test(`12 viewers of 3 stages in 2 processes, seed ${seed}`, async (t) => {
    const random = createRandom(seed)
    const live = await openLive(t, { stages: STAGES })
    const hubs = [live.hub, openHub(t, live, live.project)]
    const streams = new Map<string, StageStream>()
    for (const stage of STAGES) streams.set(stage, await startStage(live, stage))
    const seats = Array.from({ length: 12 }, (_, i) =>
      createSeat(hubs, { v: i % 2 ? 1 : 2, stage: i % 4 ? undefined : 'b' }),
    )
    for (const seat of seats) await seat.connect(random)
    for (let step = 0; step < STEPS; step++) {
      const stage = STAGES[Math.floor(random() * 3)]!
      for (const half of WORDS[Math.floor(random() * WORDS.length)]!.split('')) streams.get(stage)!.text(half)
      if (random() < 0.02) streams.set(stage, await startStage(live, stage))
      if (step === STEPS / 2) await live.redis.flushall()
      if (step % 100 === 50) await live.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      const seat = seats[Math.floor(random() * seats.length)]!
      await seat.disturb(random)
      await sleep(random() * 5) // the pace of a model
    }
    await assertExact(t, seats, (stage) => streams.get(stage)!.fullText())
  })

type Seat = ReturnType<typeof createSeat>

function createSeat(hubs: Hub[], { v, stage }: { v: 1 | 2; stage: string | undefined }) {
  const client = createClient()
  let viewer: Viewer | undefined
  async function connect(random: () => number): Promise<void> {
    viewer?.leave()
    const hub = hubs[Math.floor(random() * hubs.length)]!
    const since = client.cursor
    const sink = client.connect()
    if (random() < 0.3) client.framesLeft = Math.floor(random() * 4)
    viewer = await hub.join('p', { v, stage, since, sink })
  }
  return {
    client,
    stages: stage === undefined ? STAGES : [stage],
    connect,
    async disturb(random: () => number): Promise<void> {
      const what = random()
      if (what < 0.3) await connect(random)
      else if (what < 0.45) client.full = true
      else if (what < 0.6) client.resume()
      else if (what < 0.65) client.framesLeft = Math.min(client.framesLeft, Math.floor(random() * 3))
    },
  }
}

/** Who is broken off or stalls comes back once more. */
async function assertExact(t: TestContext, seats: Seat[], textOf: (stage: string) => string): Promise<void> {
  for (const { client, connect } of seats) {
    if (client.framesLeft < Infinity) await connect(() => 0.9)
    client.resume()
  }
  for (const { client, stages } of seats) for (const stage of stages) await sees(client, stage, textOf(stage))
  const faults = seats.flatMap(({ client }: { client: TestClient }) => client.faults)
  assert.deepEqual(faults, [])
  assert.ok(seats.some(({ client }) => client.of('connected').some((m) => m.recovered)))
  t.diagnostic(`${seats.reduce((sum, { client }) => sum + client.messages.length, 0)} messages`)
}

/** mulberry32: small, and the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
