/** The one connection that waits for entries, however many projects and viewers there are. */
import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import { sleep, within } from '../lib/until.ts'
import { openRedis } from '../redis/client.ts'
import type { RedisKeys } from '../redis/keys.ts'
import type { RedisPlace } from '../redis/place.ts'
import type { StreamEntry } from './events.ts'
import { parseEntry, type Row } from './snapshot.ts'

export type ReaderOptions = {
  place: RedisPlace
  keys: RedisKeys
  /** For what must not wait behind a blocked read. */
  fast: Redis
  /** Project ids, and up to where each is known. */
  watched(): { id: string; seq: number }[]
  onEntries(id: string, entries: StreamEntry[]): void
  /** Called at least every `BLOCK_MS`, and after each reconnect. */
  onLook(): void
}

export type Reader = {
  /** Call it after `watched()` has changed. */
  wake(): void
  close(): Promise<void>
}

const BLOCK_MS = 2_000
/** A read that was to end after BLOCK_MS and has not hangs on a dead connection. */
const OVERDUE_MS = 2_000
const RETRY_MS = 100
const COUNT = 500
const WAKE_TTL_S = 3_600

type Streams = [key: string, rows: Row[]][] | null

export function createReader({ place, keys, fast, watched, onEntries, onLook }: ReaderOptions): Reader {
  const stopping = new AbortController()
  const wakeKey = keys.key('wake', randomBytes(8).toString('hex'))
  let client = open()
  let wokenAt = '0-0'
  let waking = false
  let giveUp = () => {}
  let lookedMs = performance.now()

  function open(): Redis {
    return openRedis(place, 'blocking').on('ready', look)
  }

  function look(): void {
    lookedMs = performance.now()
    onLook()
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await read()
      } catch {
        await sleep(RETRY_MS, stopping.signal).catch(() => {}) // Redis is loading or away: the next read tells
      }
      if (performance.now() - lookedMs >= BLOCK_MS) look()
    }
  }

  async function read(): Promise<void> {
    const places = watched()
    const ids = new Map(places.map(({ id }) => [keys.key('events', id), id]))
    const from = [wokenAt, ...places.map(({ seq }) => `${seq}-0`)]
    const reply = client.xread('COUNT', COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', wakeKey, ...ids.keys(), ...from)
    const stopped = Promise.withResolvers<'overdue'>()
    giveUp = () => stopped.resolve('overdue')
    const first = Promise.race([reply as Promise<Streams>, stopped.promise])
    const streams = await within(first, BLOCK_MS + OVERDUE_MS, 'overdue' as const)
    if (streams === 'overdue') return replace()
    for (const [key, rows] of streams ?? []) {
      if (key === wakeKey) wokenAt = rows.at(-1)![0]
      else onEntries(ids.get(key)!, rows.map(parseEntry))
    }
  }

  function replace(): void {
    client.disconnect()
    if (!stopping.signal.aborted) client = open()
  }

  const running = run()
  return {
    wake() {
      if (waking) return
      waking = true
      const told = fast.multi().xadd(wakeKey, 'MAXLEN', '~', 100, '*', 'w', '1').expire(wakeKey, WAKE_TTL_S).exec()
      void told
        .catch(() => {}) // Redis is away: the reader begins anew when it is back
        .then(() => {
          waking = false
        })
    },
    async close() {
      stopping.abort()
      giveUp()
      client.disconnect()
      await running
    },
  }
}
