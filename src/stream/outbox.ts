/** An attempt's text and events on their way to Redis: one at a time, in order, again until they are there. */
import { sleep } from '../lib/until.ts'
import type { Acked, Claimed, RedisStream, StageEvent, StreamAnswer } from './redis-stream.ts'

export type OutboxEvent = Omit<StageEvent, 'nonce'>

/** Text goes at once after a pause, else in pieces of so many ms or UTF-16 units. */
const TEXT_EVERY_MS = 40
const TEXT_UNITS = 1_024
const PROGRESS_EVERY_MS = 100
const RETRY_MS = 100

type Parcel = { send(): Promise<StreamAnswer>; onStored(): void }

export class Outbox {
  /** Resolves with Redis's first answer. */
  readonly begun = Promise.withResolvers<void>()
  readonly fenced = new AbortController()
  readonly #redis: RedisStream
  readonly #about: Claimed
  readonly #stopped = new AbortController()
  readonly #drained = Promise.withResolvers<void>()
  #phase: 'new' | 'live' | 'lost' = 'new'
  #acked: Acked = { epoch: '', seq: 0 }
  #text = ''
  /** Units of the text that Redis has. */
  #sent = 0
  #progress: OutboxEvent | undefined
  #last: OutboxEvent | undefined
  #finishing = false
  #nonce = 0
  #running = false
  #timer: NodeJS.Timeout | undefined
  #textAtMs = -Infinity
  #progressAtMs = -Infinity

  constructor(redis: RedisStream, about: Claimed) {
    this.#redis = redis
    this.#about = about
    void this.#pump()
  }

  text(delta: string): void {
    if (this.#finishing) return
    this.#text += delta
    void this.#pump()
  }

  progress(event: OutboxEvent): void {
    if (this.#finishing) return
    this.#progress = event
    void this.#pump()
  }

  fullText(): string {
    return this.#text.toWellFormed()
  }

  /** Resolves when everything, `last` included, is in Redis, or nothing more is sent. */
  async finish(last?: OutboxEvent): Promise<void> {
    this.#finishing = true
    this.#last = last
    void this.#pump()
    await this.#drained.promise
  }

  /** Stops sending. */
  abandon(): void {
    this.#finishing = true
    clearTimeout(this.#timer)
    this.#stopped.abort()
    this.begun.resolve()
    this.#drained.resolve()
  }

  async #pump(): Promise<void> {
    if (this.#running || this.#stopped.signal.aborted) return
    this.#running = true
    clearTimeout(this.#timer)
    for (let parcel = this.#next(); parcel; parcel = this.#next()) await this.#deliver(parcel)
    this.#running = false
    if (this.#finishing) this.#drained.resolve()
    else this.#wakeLater()
  }

  /** The same parcel again and again: it may have arrived although nobody said so, and it counts once. */
  async #deliver(parcel: Parcel): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        return this.#take(parcel, await parcel.send())
      } catch {
        await sleep(RETRY_MS, this.#stopped.signal).catch(() => {}) // Redis is away: until the caller gives up
      }
    }
  }

  #take(parcel: Parcel, { result, epoch, seq }: StreamAnswer): void {
    this.begun.resolve()
    if (result === 'fenced') {
      this.abandon()
      this.fenced.abort()
    } else if (result === 'lost') {
      this.#phase = 'lost' // #acked stays: it tells the script which epoch is broken
    } else {
      this.#acked = { epoch, seq }
      parcel.onStored()
    }
  }

  #next(): Parcel | undefined {
    if (this.#stopped.signal.aborted) return undefined
    if (this.#phase === 'new') return this.#beginning()
    if (this.#phase === 'lost') return this.#wholeText()
    const nowMs = performance.now()
    if (this.#progress && (this.#finishing || nowMs >= this.#progressDueMs()))
      return this.#nextProgress(this.#progress, nowMs)
    if (this.#sendable() > 0 && (this.#finishing || nowMs >= this.#textDueMs())) return this.#nextText(nowMs)
    return this.#last && this.#end(this.#last)
  }

  #progressDueMs(): number {
    return this.#progress ? this.#progressAtMs + PROGRESS_EVERY_MS : Infinity
  }

  #textDueMs(): number {
    if (this.#sendable() >= TEXT_UNITS) return -Infinity
    return this.#sendable() > 0 ? this.#textAtMs + TEXT_EVERY_MS : Infinity
  }

  /** Units that can be sent without cutting a surrogate pair. */
  #sendable(): number {
    const open = !this.#finishing && isHighSurrogate(this.#text.charCodeAt(this.#text.length - 1))
    return this.#text.length - this.#sent - (open ? 1 : 0)
  }

  #beginning(): Parcel {
    return {
      send: () => this.#redis.begin(this.#about),
      onStored: () => {
        this.#phase = 'live'
      },
    }
  }

  #nextText(nowMs: number): Parcel {
    const from = this.#sent
    const upto = from + this.#sendable()
    const delta = this.#text.slice(from, upto).toWellFormed()
    this.#textAtMs = nowMs
    return {
      send: () => this.#redis.token({ ...this.#about, acked: this.#acked }, from, delta),
      onStored: () => {
        this.#sent = upto
      },
    }
  }

  #wholeText(): Parcel {
    const upto = this.#sent + this.#sendable()
    const whole = this.#text.slice(0, upto).toWellFormed()
    return {
      send: () => this.#redis.resend(this.#about, this.#acked.epoch, whole),
      onStored: () => {
        this.#phase = 'live'
        this.#sent = upto
      },
    }
  }

  #nextProgress(event: OutboxEvent, nowMs: number): Parcel {
    this.#progressAtMs = nowMs
    return this.#event(event, () => {
      if (this.#progress === event) this.#progress = undefined
    })
  }

  #end(event: OutboxEvent): Parcel {
    return this.#event(event, () => {
      this.#last = undefined
    })
  }

  /** The script drops what is not newer, so the number is given in the order of sending. */
  #event(event: OutboxEvent, onStored: () => void): Parcel {
    const numbered = { ...event, nonce: ++this.#nonce }
    return { send: () => this.#redis.event({ ...this.#about, acked: this.#acked }, numbered), onStored }
  }

  #wakeLater(): void {
    const dueMs = Math.min(this.#textDueMs(), this.#progressDueMs())
    if (dueMs < Infinity) this.#timer = setTimeout(() => void this.#pump(), Math.max(0, dueMs - performance.now()))
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}
