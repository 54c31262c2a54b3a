/** Where stages put what they stream: one for a worker, with a stream for each attempt. */
import type { Redis } from 'ioredis'
import { messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { within } from '../lib/until.ts'
import { ENDED, type ProjectState } from '../project/project.ts'
import type { RedisKeys } from '../redis/keys.ts'
import { announce } from './announce.ts'
import { type Claimed, createRedisStream } from './redis-stream.ts'
import { openStageStream, type StageStream } from './stage-stream.ts'

export type { StageStream } from './stage-stream.ts'

export type ProducerOptions = {
  /** Of kind `fast`, and the caller's to close. */
  redis: Redis
  keys: RedisKeys
  log: Log
  /** Unix milliseconds. */
  now?: () => number
}

export type Producer = {
  open(about: Claimed): Promise<StageStream>
  /** Never rejects: while Redis is away nothing is told, and the hub tells it later. */
  announce(state: ProjectState, revisions: Record<string, number>): Promise<void>
  /** Closes the streams that are still open. */
  close(): Promise<void>
}

/** An attempt begins with or without Redis. */
const OPEN_MS = 500
const ANNOUNCE_MS = 1_000

export function createProducer({ redis, keys, log, now }: ProducerOptions): Producer {
  const redisStream = createRedisStream(redis, keys, now)
  const open = new Set<StageStream>()
  /** Projects of which a stage's end could not be told: their own end must not come before it. */
  const untold = new Set<string>()
  return {
    async open(about) {
      const stream = openStageStream(redisStream, about, {
        onClosed: () => open.delete(stream),
        onUntold: () => untold.add(about.projectId),
      })
      open.add(stream)
      await within(stream.begun, OPEN_MS, undefined)
      return stream
    },
    async announce(state, revisions) {
      if (untold.has(state.id)) {
        untold.delete(state.id)
        if (ENDED.has(state.status)) return // the hub tells both, in their order
      }
      const told = announce(redisStream, state, revisions).catch((error: unknown) => {
        log.debug({ project: state.id, reason: messageOf(error) }, 'an announcement has to wait for Redis')
      })
      await within(told, ANNOUNCE_MS, undefined)
    },
    async close() {
      await Promise.all([...open].map((stream) => stream.close()))
    },
  }
}
