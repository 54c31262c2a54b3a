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
  /** Bytes since the beginning: of the lines that were taken, and of those that are written or lost. */
  #taken = 0
  #settled = 0
  #out: Segment | undefined
  /** `repeated`: flushSync has written it too, so that its end means nothing any more. */
  #underWay: { data: Buffer; chunk: LineChunk; repeated: boolean } | undefined
  #scheduled = false
  #closed = false
  #faultMs: number | undefined
  /** In the order of `upTo`. */
  #waiters: { upTo: number; resolve: () => void }[] = []

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
    this.#taken += bytes
    this.#schedule()
    return true
  }

  /** Resolves when what was taken so far is written, or cannot be; what comes meanwhile delays it by one write at most. */
  async flush(): Promise<void> {
    if (this.#settled === this.#taken) return
    await new Promise<void>((resolve) => this.#waiters.push({ upTo: this.#taken, resolve }))
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
  }

  /** Flushes; what is appended afterwards is left out. */
  async close(): Promise<void> {
    this.#closed = true
    await this.flush()
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
    if (this.#waiting.length === 0) return
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
    this.#settle(this.#settled + bytes)
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
    this.#settle(this.#taken)
    this.#release()
    if (isFirst) this.#options.onFault(error)
  }

  /** A write that flushSync has repeated may still use the descriptor: then it stays open. */
  #release(): void {
    if (this.#out && !this.#underWay) closeQuietly(this.#out.fd)
    this.#out = undefined
  }

  #settle(bytes: number): void {
    this.#settled = bytes
    while (this.#waiters.length > 0 && this.#waiters[0]!.upTo <= bytes) this.#waiters.shift()!.resolve()
  }
}
