/** One viewer: a place in the stream, not a queue. Who reads slowly gets less often more. */
import { formatCursor, parseCursor } from './cursor.ts'
import type { Frame, View } from './frames.ts'
import type { Room } from './room.ts'

export type Sink = {
  /** False while its buffer is full: it then gets one merged frame later instead of many. */
  writable(): boolean
  /** One JSON message as UTF-8; `cursor` (empty: none yet) is what a client that has read it may resume from. */
  write(frame: Buffer | string, cursor: string): void
  /** Calls back once, as soon as it is writable again. */
  whenWritable(callback: () => void): void
  /** Nothing more will come. */
  end(): void
}

/** `since` is `<epoch>-<seq>`; a value that makes no sense counts as one that cannot be resumed from. */
export type JoinOptions = {
  stage?: string
  since?: string
  v: 1 | 2
  sink: Sink
  /** Ends the sink once the project has ended and everything was written (SSE). Default: it stays for a rerun. */
  endWithProject?: boolean
}

export type Viewer = { leave(): void; readonly cursor: string }

export type ViewerDeps = {
  /** Gets older entries of the room from Redis, as far as it still has them. */
  recall(seq: number): Promise<void>
  onConflation(): void
  onLeft(viewer: LiveViewer): void
}

export class LiveViewer implements Viewer {
  readonly #room: Room
  readonly #sink: Sink
  readonly #view: View
  readonly #endsWithProject: boolean
  readonly #deps: ViewerDeps
  #epoch = ''
  #seq = 0
  /** The client may hold text already. */
  #hasText: boolean
  #waiting = false
  #left = false

  constructor(room: Room, { stage, since, v, sink, endWithProject = false }: JoinOptions, deps: ViewerDeps) {
    this.#room = room
    this.#sink = sink
    this.#view = { stage, v, busy: false }
    this.#endsWithProject = endWithProject
    this.#hasText = since !== undefined
    this.#deps = deps
  }

  get v(): 1 | 2 {
    return this.#view.v
  }

  get cursor(): string {
    return this.#seq === 0 ? '' : formatCursor({ epoch: this.#epoch, seq: this.#seq })
  }

  /** True when it has everything and nothing more will come. */
  get isAtEnd(): boolean {
    return this.#epoch === this.#room.epoch && this.#seq === this.#room.head && this.#room.isOver
  }

  /** True when the client could continue where it was. */
  async start(since: string | undefined): Promise<boolean> {
    this.#waiting = true // what comes meanwhile comes after
    const recovered = await this.#resume(since)
    this.#waiting = false
    this.flush()
    return recovered
  }

  /** Writes what has come, unless the sink is full. */
  flush(): void {
    if (this.#left || this.#waiting) return
    if (!this.#sink.writable()) this.#waitUntilWritable()
    else if (this.#epoch === this.#room.epoch && !this.#room.covers(this.#seq)) this.#recall()
    else this.#catchUp()
  }

  #catchUp(): void {
    if (this.#epoch !== this.#room.epoch) this.#writeAll()
    else if (this.#seq < this.#room.head) this.#write(this.#room.framesAfter(this.#seq, this.#view))
    this.#view.busy = false
    if (this.#endsWithProject && this.isAtEnd) this.end()
  }

  end(): void {
    if (this.#left) return
    this.leave()
    this.#sink.end()
  }

  leave(): void {
    if (this.#left) return
    this.#left = true
    this.#deps.onLeft(this)
  }

  async #resume(since: string | undefined): Promise<boolean> {
    const cursor = parseCursor(since)
    if (cursor?.epoch !== this.#room.epoch || cursor.seq < 1 || cursor.seq > this.#room.head) return false
    if (!this.#room.covers(cursor.seq)) await this.#deps.recall(cursor.seq)
    if (cursor.epoch !== this.#room.epoch || !this.#room.covers(cursor.seq)) return false
    this.#epoch = cursor.epoch
    this.#seq = cursor.seq
    const { data, seq } = this.#room.resumed(cursor.seq, this.#view.stage)
    this.#sink.write(data, formatCursor({ epoch: cursor.epoch, seq }))
    return true
  }

  #writeAll(): void {
    this.#epoch = this.#room.epoch
    this.#write(this.#room.catchUp(this.#view, this.#hasText))
    this.#hasText = true
  }

  #write(frames: Frame[]): void {
    const epoch = this.#epoch
    for (const { data, seq } of frames) this.#sink.write(data, seq === 0 ? '' : formatCursor({ epoch, seq }))
    this.#seq = this.#room.head
  }

  #waitUntilWritable(): void {
    this.#waiting = true
    this.#view.busy = true
    this.#deps.onConflation()
    this.#sink.whenWritable(() => {
      this.#waiting = false
      this.flush()
    })
  }

  /** It is so far behind that the room has forgotten: Redis may know more, else it begins anew. */
  #recall(): void {
    this.#waiting = true
    const seq = this.#seq
    void this.#deps.recall(seq).then(() => {
      this.#waiting = false
      if (!this.#room.covers(seq)) this.#epoch = ''
      this.flush()
    })
  }
}
