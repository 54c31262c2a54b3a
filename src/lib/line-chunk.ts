/** Lines that wait to be written, as bytes: as texts they would outlive their youth, and cost a collection each. */

const NEWLINE = 10

/** Filled at its end, emptied from its beginning. */
export class LineChunk {
  readonly #data: Buffer
  #from = 0
  #to = 0

  constructor(bytes: number) {
    this.#data = Buffer.allocUnsafe(bytes)
  }

  get room(): number {
    return this.#data.length - this.#to
  }

  get isEmpty(): boolean {
    return this.#from === this.#to
  }

  get firstLine(): number {
    return this.#data.indexOf(NEWLINE, this.#from) + 1 - this.#from
  }

  /** True when it is such a large one and all of it was given: it can be filled again. */
  recycle(bytes: number): boolean {
    if (!this.isEmpty || this.#data.length !== bytes) return false
    this.#from = 0
    this.#to = 0
    return true
  }

  take(line: string, bytes: number): void {
    this.#data.write(line, this.#to)
    this.#to += bytes
  }

  /** Whole lines of so many bytes at most, but at least one. */
  give(bytes: number): Buffer {
    const from = this.#from
    if (this.#to - from <= bytes) this.#from = this.#to
    else this.#from = Math.max(from + this.firstLine, this.#data.lastIndexOf(NEWLINE, from + bytes - 1) + 1)
    return this.#data.subarray(from, this.#from)
  }
}
