/** A log file of bounded size: `x.log` is written, `x.1.log` and so on are older. One writer, many readers. */
import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync, renameSync, write, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from './errors.ts'
import { LineChunk } from './line-chunk.ts'

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

/** The paths of a log, newest first. */
export function segmentPaths(path: string, files: number): string[] {
  const stem = path.replace(/\.[^./]+$/, '')
  return Array.from({ length: files }, (_, age) => (age === 0 ? path : `${stem}.${age}${path.slice(stem.length)}`))
}

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
  #out: { fd: number; size: number } | undefined
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
        writeSync(fd, data, 0, data.length, size)
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
    writeSync(fd, mine.data, 0, mine.data.length, size)
    this.#succeed(mine.data.length)
  }

  /** The open file, with room for at least one more line. */
  #prepare(): { fd: number; size: number } {
    const { maxBytes, files } = this.#options
    this.#out ??= open(this.#path)
    if (this.#out.size === 0 || this.#out.size + this.#waiting[0]!.firstLine <= maxBytes) return this.#out
    this.#release()
    shift(segmentPaths(this.#path, files))
    this.#out = open(this.#path)
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

const NEWLINE = 10

/** What a crash left without its end gets one, so that the next line is a line of its own. */
function open(path: string): { fd: number; size: number } {
  mkdirSync(dirname(path), { recursive: true })
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o640)
  try {
    return { fd, size: endWithNewline(fd) }
  } catch (error) {
    closeQuietly(fd)
    throw error
  }
}

function endWithNewline(fd: number): number {
  const { size } = fstatSync(fd)
  const last = Buffer.alloc(1)
  if (size === 0 || (readSync(fd, last, 0, 1, size - 1) === 1 && last[0] === NEWLINE)) return size
  writeSync(fd, '\n', size)
  return size + 1
}

function shift(newestFirst: string[]): void {
  for (let age = newestFirst.length - 1; age > 0; age--) {
    try {
      renameSync(newestFirst[age - 1]!, newestFirst[age]!)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error // not so many yet, or somebody has removed it
    }
  }
}

type Piece = { data: Buffer; at: number }

/** A full disk takes a part first, and says so at the next try. */
function writeAll(fd: number, { data, at }: Piece, done: (error: Error | null) => void): void {
  write(fd, data, 0, data.length, at, (error, written) => {
    if (error) done(error)
    else if (written < data.length) writeAll(fd, { data: data.subarray(written), at: at + written }, done)
    else done(null)
  })
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // Its writes have been reported one by one.
  }
}
