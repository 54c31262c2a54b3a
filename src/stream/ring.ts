/** The latest entries of a stream, without a gap, for viewers that are a little behind. */
import type { StreamEntry } from './events.ts'

/** `whole`: the stage's text when a lasting entry came, for it may be another one when a slow viewer reads of it. */
export type RingEntry = StreamEntry & { whole?: string }

const LIMIT = 2_000

export class Ring {
  #entries: RingEntry[] = []
  /** The seq before the first entry kept. */
  #start: number

  constructor(start: number) {
    this.#start = start
  }

  get start(): number {
    return this.#start
  }

  push(entry: RingEntry): void {
    this.#entries.push(entry)
    if (this.#entries.length >= 2 * LIMIT) this.#drop(this.#entries.length - LIMIT)
  }

  /** Adds what came directly before. */
  prepend(older: RingEntry[]): void {
    this.#entries = [...older, ...this.#entries]
    this.#start -= older.length
  }

  /** True when everything after `seq` is here. */
  covers(seq: number): boolean {
    return seq >= this.#start
  }

  after(seq: number): RingEntry[] {
    return this.#entries.slice(seq - this.#start)
  }

  #drop(count: number): void {
    this.#entries = this.#entries.slice(count)
    this.#start += count
  }
}
