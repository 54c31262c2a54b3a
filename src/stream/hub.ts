/** Brings every viewer of a project what its stages make: late, slow, reconnecting or without Redis. */
import type { Log } from '../lib/log.ts'
import { openRedis, untilReady } from '../redis/client.ts'
import type { RedisKeys } from '../redis/keys.ts'
import type { RedisPlace } from '../redis/place.ts'
import { parseCursor } from './cursor.ts'
import type { LiveMessage } from './events.ts'
import { pollOnce } from './poll.ts'
import { createReader } from './reader.ts'
import { createRedisStream } from './redis-stream.ts'
import { Rooms } from './rooms.ts'
import type { ProjectSource } from './source.ts'
import { type JoinOptions, LiveViewer, type Viewer } from './viewer.ts'

export type { ProjectSource } from './source.ts'
export type { JoinOptions, Sink, Viewer } from './viewer.ts'

export type PollOptions = { since?: string; stage?: string; v: 1 | 2; waitMs: number; signal: AbortSignal }

/** `next` is the cursor for the next poll; `closed`: the project has ended and nothing more will come. */
export type PollAnswer = { events: LiveMessage[]; next: string; up_to_date: boolean; closed: boolean }

export type HubStats = { viewers: number; projects: number; conflations: number; resumes: Record<string, number> }

export type Hub = {
  /** Writes `connected` and the catch-up, then follows. Throws `not_found` for an unknown project, nothing else. */
  join(id: string, options: JoinOptions): Promise<Viewer>
  poll(id: string, options: PollOptions): Promise<PollAnswer>
  /** True when the project has ended and the cursor is at its end. */
  isAtEnd(id: string, since: string | undefined): Promise<boolean>
  stats(): HubStats
  /** Ends every sink and both connections. */
  close(): Promise<void>
}

/** `now`: Unix milliseconds. */
export type HubOptions = { place: RedisPlace; keys: RedisKeys; source: ProjectSource; log: Log; now?: () => number }

/** A Redis that is there gets so long to say so before the disk answers. */
const FIRST_CONTACT_MS = 500

export function createHub({ place, keys, source, log, now = Date.now }: HubOptions): Hub {
  const redis = openRedis(place, 'fast')
  const stream = createRedisStream(redis, keys, now)
  const rooms = new Rooms({
    redis,
    keys,
    stream,
    source,
    log,
    now,
    channelOf: channelsOf(keys),
    onMoved: () => reader.wake(),
  })
  const look = () => void rooms.look()
  const reader = createReader({
    place,
    keys,
    fast: redis.on('ready', look),
    watched: () => rooms.watched(),
    onEntries: (id, entries) => rooms.take(id, entries),
    onLook: look,
  })
  const contact = untilReady(redis, FIRST_CONTACT_MS)
  const counts = { conflations: 0, resumes: { recovered: 0, snapshot: 0, fresh: 0 } }

  async function join(id: string, options: JoinOptions): Promise<LiveViewer> {
    await contact
    const { room, audience } = await rooms.enter(id)
    const viewer = new LiveViewer(room, options, {
      recall: (seq) => rooms.recall(room, seq),
      onConflation: () => void counts.conflations++,
      onLeft(left) {
        audience.delete(left)
        rooms.settle(id)
      },
    })
    audience.add(viewer)
    const recovered = await viewer.start(options.since)
    counts.resumes[recovered ? 'recovered' : options.since === undefined ? 'fresh' : 'snapshot']++
    return viewer
  }

  return {
    join,
    poll: (id, options) => pollOnce((sink) => join(id, { ...options, sink }), options),
    async isAtEnd(id, since) {
      await contact
      const { room } = await rooms.enter(id)
      rooms.settle(id)
      const cursor = parseCursor(since)
      return room.isOver && cursor?.epoch === room.epoch && cursor.seq === room.head
    },
    stats: () => ({ viewers: rooms.viewers, projects: rooms.size, ...counts, resumes: { ...counts.resumes } }),
    async close() {
      rooms.close()
      await reader.close()
      redis.disconnect()
    },
  }
}

function channelsOf(keys: RedisKeys) {
  return (id: string, stage: string | undefined) =>
    stage === undefined ? keys.progressChannel(id) : keys.stageChannel(id, stage)
}
