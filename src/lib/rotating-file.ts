/** A log file of bounded size: `x.log` is written, `x.1.log` and so on are older. One writer, many readers. */
import { LineChunk } from './line-chunk.ts'
import {
  closeQuietly,
  openSegment,
  type Segment,
  segmentPaths,
  shiftSegments,
  writeAll,
  writeAllSync,
} from './segment.ts'

export type RotatingFileOptions = {
  /** Per file; only a single longer line makes a longer one. */
  maxBytes: number
  /** With the one that is being written. */
  files: number
  /** So much may wait to be written; where the disk is slower than that, lines are left out. */
  maxWaitingBytes?: number
  /** Once when writing fails, and once with null when it works again. */
  onFault(error: Error | null): void
}

/** Most turns bring a line or two; in a flood many come together. */
const [FIRST_CHUNK_BYTES, CHUNK_BYTES] = [4_000, 1024 * 1024]

/** A full disk is tried again after so long. */
const RETRY_MS = 2_000

/**
 * Lines of one turn are one write, in another thread. Each write says its position in the file, so that `flushSync`
 * can repeat the one that is under way without harm.
 */
export class RotatingFile {
  readonly #path: string
  readonly #options: RotatingFileOptions

  #waiting: LineChunk[] = []
  /** A large one that has been written, for the next lines of a flood. */
  #spare: LineChunk | undefined
  #waitingBytes = 0
  #out: Segment | undefined
  /** `repeated`: flushSync has written it too, so that its end means nothing any more. */
  #underWay: { data: Buffer; chunk: LineChunk; repeated: boolean } | undefined
  #scheduled = false
  #closed = false
  #faultMs: number | undefined
  #whenIdle: (() => void)[] = []

  constructor(path: string, options: RotatingFileOptions) {
    this.#path = path
    this.#options = options
  }

  /** Takes a line with its end. False: it is left out, because the disk is full or too slow. */
  append(line: string): boolean {
    const { maxWaitingBytes = 2 * 1024 * 1024 } = this.#options
    if (this.#closed || this.#waitingBytes > maxWaitingBytes || this.#isBroken()) return false
    const bytes = Buffer.byteLength(line)
    this.#chunkFor(bytes).take(line, bytes)
    this.#waitingBytes += bytes
    this.#schedule()
    return true
  }

  /** Resolves when what was taken so far is written, or cannot be. */
  async flush(): Promise<void> {
    if (this.#waiting.length === 0 && (this.#underWay?.repeated ?? true)) return
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  /** The same before it returns, for a process that is about to end. */
  flushSync(): void {
    try {
      if (this.#underWay && !this.#underWay.repeated) this.#repeat(this.#underWay)
      while (this.#waiting.length > 0) {
        const { fd, size } = this.#prepare()
        const data = this.#takeFitting(size)
        writeAllSync(fd, { data, at: size })
        this.#succeed(data.length)
      }
    } catch (error) {
      this.#fail(error as Error)
    }
    this.#tellIdle()
  }

  /** Flushes; what is appended afterwards is left out. */
  async close(): Promise<void> {
    await this.flush()
    this.#closed = true
    this.#release()
  }

  #chunkFor(bytes: number): LineChunk {
    const last = this.#waiting.at(-1)
    if (last && last.room >= bytes) return last
    const spare = last && bytes <= CHUNK_BYTES ? this.#spare : undefined
    if (spare) this.#spare = undefined
    const chunk = spare ?? new LineChunk(Math.max(bytes, last ? CHUNK_BYTES : FIRST_CHUNK_BYTES))
    this.#waiting.push(chunk)
    return chunk
  }

  #isBroken(): boolean {
    return this.#faultMs !== undefined && performance.now() - this.#faultMs < RETRY_MS
  }

  #schedule(): void {
    if (this.#scheduled || this.#underWay) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (!this.#underWay) this.#writeNext()
    })
  }

  #writeNext(): void {
    if (this.#waiting.length === 0) {
      this.#tellIdle()
      return
    }
    try {
      const { fd, size } = this.#prepare()
      const mine = { chunk: this.#waiting[0]!, data: this.#takeFitting(size), repeated: false }
      this.#underWay = mine
      writeAll(fd, { data: mine.data, at: size }, (error) => {
        this.#underWay = undefined
        if (!mine.repeated && error) this.#fail(error)
        else if (!mine.repeated) this.#succeed(mine.data.length)
        if (mine.chunk.recycle(CHUNK_BYTES)) this.#spare = mine.chunk
        this.#writeNext()
      })
    } catch (error) {
      this.#fail(error as Error)
      this.#tellIdle()
    }
  }

  #repeat(mine: { data: Buffer; repeated: boolean }): void {
    mine.repeated = true
    const { fd, size } = this.#out!
    writeAllSync(fd, { data: mine.data, at: size })
    this.#succeed(mine.data.length)
  }

  /** The open file, with room for at least one more line. */
  #prepare(): Segment {
    const { maxBytes, files } = this.#options
    this.#out ??= openSegment(this.#path)
    if (this.#out.size === 0 || this.#out.size + this.#waiting[0]!.firstLine <= maxBytes) return this.#out
    this.#release()
    shiftSegments(segmentPaths(this.#path, files))
    this.#out = openSegment(this.#path)
    return this.#out
  }

  #takeFitting(size: number): Buffer {
    const chunk = this.#waiting[0]!
    const data = chunk.give(this.#options.maxBytes - size)
    if (chunk.isEmpty) this.#waiting.shift()
    this.#waitingBytes -= data.length
    return data
  }

  #succeed(bytes: number): void {
    this.#out!.size += bytes
    if (this.#faultMs === undefined) return
    this.#faultMs = undefined
    this.#options.onFault(null)
  }

  /** What waited is lost; a later line tries anew, on a freshly opened file. */
  #fail(error: Error): void {
    const isFirst = this.#faultMs === undefined
    this.#faultMs = performance.now()
    this.#waiting = []
    this.#waitingBytes = 0
    this.#release()
    if (isFirst) this.#options.onFault(error)
  }

  /** A write that flushSync has repeated may still use the descriptor: then it stays open. */
  #release(): void {
    if (this.#out && !this.#underWay) closeQuietly(this.#out.fd)
    this.#out = undefined
  }

  #tellIdle(): void {
    const callbacks = this.#whenIdle
    this.#whenIdle = []
    for (const callback of callbacks) callback()
  }
}
