/** The projects that are viewed: opened with their first viewer, kept in step with Redis and the journal, let go later. */
import { AppError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { Audience } from './audience.ts'
import type { StreamEntry } from './events.ts'
import { isBehind, type RepairDeps, repair } from './repair.ts'
import { type ChannelOf, Room } from './room.ts'
import { type Marks, readEntries, readMarks, readSnapshot, type Snapshot } from './snapshot.ts'

export type RoomsDeps = RepairDeps & {
  log: Log
  channelOf: ChannelOf
  /** A room was opened or loaded anew, so the reader has to follow from elsewhere. */
  onMoved(): void
}

type Entry = {
  room: Room
  audience: Audience
  loading: Promise<void> | undefined
  timer: NodeJS.Timeout | undefined
  /** Entries up to here said nothing, for Redis has no more than them. */
  ignored: number
}

/** So long a project without viewers is kept: someone who reloads the page joins at once. */
const LINGER_MS = 30_000

export class Rooms {
  readonly #entries = new Map<string, Entry>()
  readonly #deps: RoomsDeps
  #looking = false

  constructor(deps: RoomsDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#entries.size
  }

  get viewers(): number {
    return [...this.#entries.values()].reduce((sum, { audience }) => sum + audience.size, 0)
  }

  /** Throws `not_found`. The caller counts as a viewer-to-be until it calls `settle`. */
  async enter(id: string): Promise<{ room: Room; audience: Audience }> {
    const entry = this.#entries.get(id) ?? this.#open(id)
    clearTimeout(entry.timer)
    await entry.loading
    if (this.#entries.get(id) === entry && entry.room.epoch !== '') return entry
    throw new AppError('not_found', `There is no project ${id}`)
  }

  /** Lets a project go after a while, when nobody views it. */
  settle(id: string): void {
    const entry = this.#entries.get(id)
    if (!entry || entry.audience.size > 0) return
    clearTimeout(entry.timer)
    const letGo = () => entry.audience.size === 0 && this.#entries.delete(id)
    entry.timer = setTimeout(letGo, LINGER_MS).unref()
  }

  /** What the reader has to follow; a room that is being loaded will begin elsewhere. */
  watched(): { id: string; seq: number }[] {
    return [...this.#entries.values()]
      .filter(({ loading }) => loading === undefined)
      .map(({ room, ignored }) => ({ id: room.id, seq: room.isFromDisk ? ignored : room.head }))
  }

  take(id: string, entries: StreamEntry[]): void {
    const entry = this.#entries.get(id)
    if (!entry || entry.loading !== undefined) return
    const fits = entry.room.apply(entries)
    entry.audience.tell(entries)
    if (fits) return
    entry.ignored = entries.at(-1)?.seq ?? 0
    this.#load(entry)
  }

  /** Older entries for who is further behind than the room knows. */
  async recall(room: Room, seq: number): Promise<void> {
    if (room.isFromDisk || room.covers(seq)) return
    const { redis, keys } = this.#deps
    const range = { id: room.id, from: seq + 1, to: room.oldest - 1 }
    const older = await readEntries(redis, keys, range).catch(() => []) // Redis is away: the viewer begins anew
    if (older.length > 0 && !room.covers(seq)) room.extend(older)
  }

  /** Compares all with Redis and the journal, and mends what is amiss. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const entries = [...this.#entries.values()].filter(({ loading }) => loading === undefined)
      const seen = entries.map(({ room }) => ({ id: room.id, stages: room.stages, epoch: room.epoch, head: room.head }))
      if (entries.length === 0) return
      const marks = await readMarks(this.#deps.redis, this.#deps.keys, seen)
      await Promise.all(entries.map((entry, i) => this.#check(entry, seen[i]!, marks[i])))
    } catch (error) {
      this.#deps.log.debug({ reason: messageOf(error) }, 'live streams wait for Redis')
    } finally {
      this.#looking = false
    }
  }

  close(): void {
    for (const { audience, timer } of this.#entries.values()) {
      clearTimeout(timer)
      audience.endAll()
    }
    this.#entries.clear()
  }

  async #check(
    entry: Entry,
    seen: { id: string; epoch: string; head: number },
    marks: Marks | undefined,
  ): Promise<void> {
    const { room } = entry
    if (entry.loading !== undefined || room.epoch !== seen.epoch) return
    if (!marks || marks.epoch !== seen.epoch || marks.seq < seen.head) return this.#load(entry)
    const revisions = await this.#deps.source.revisions(seen.id)
    if (!revisions) return this.#load(entry)
    if (isBehind(marks, revisions) || room.lacksEnd) await repair(this.#deps, seen.id)
  }

  #open(id: string): Entry {
    const room = new Room(id, this.#deps)
    const entry: Entry = { room, audience: new Audience(), loading: undefined, timer: undefined, ignored: 0 }
    this.#entries.set(id, entry)
    this.#load(entry)
    return entry
  }

  #load(entry: Entry): void {
    const { id, epoch, head } = entry.room
    if (entry.loading !== undefined) return
    entry.loading = this.#reload(entry).finally(() => {
      entry.loading = undefined
      if (entry.room.epoch === '') return void this.#entries.delete(id)
      if (entry.room.epoch === epoch && entry.room.head === head) return
      this.#deps.onMoved()
      entry.audience.tell([])
    })
    entry.loading.catch((error: unknown) => {
      this.#deps.log.error({ project: id, error }, 'a project cannot be read for its viewers')
    })
  }

  async #reload({ room, audience }: Entry): Promise<void> {
    const { source, log } = this.#deps
    try {
      const record = await repair(this.#deps, room.id)
      if (!record) return audience.endAll()
      const snapshot = await this.#snapshot(
        room,
        record.state.stages.map((stage) => stage.name),
      )
      const isAhead = snapshot?.epoch === room.epoch && snapshot.seq < room.head
      if (!isAhead) room.load(record, snapshot)
    } catch (error) {
      log.debug({ project: room.id, reason: messageOf(error) }, 'a live stream waits for Redis')
      const record = room.epoch === '' ? await source.read(room.id) : undefined
      if (record) room.load(record, undefined)
    }
  }

  /** A head behind what viewers have seen cannot be continued: it begins anew. */
  async #snapshot({ id, epoch, head }: Room, stages: string[]): Promise<Snapshot | undefined> {
    const { redis, keys, stream } = this.#deps
    const snapshot = await readSnapshot(redis, keys, { id, stages })
    if (snapshot?.epoch !== epoch || snapshot.seq >= head) return snapshot
    await stream.renew(id, { epoch, seq: head })
    return await readSnapshot(redis, keys, { id, stages })
  }
}
