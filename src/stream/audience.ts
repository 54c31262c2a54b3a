/** The viewers of one project: who is told at once, and who ten times a second. */
import { isLasting, type StreamEntry } from './events.ts'
import type { LiveViewer } from './viewer.ts'

/** Frames with the whole text grow with it, so those who ask for them get fewer. */
const WHOLE_EVERY_MS = 100

export class Audience {
  readonly #viewers = new Set<LiveViewer>()
  #wholeAtMs = -Infinity
  #timer: NodeJS.Timeout | undefined

  get size(): number {
    return this.#viewers.size
  }

  add(viewer: LiveViewer): void {
    this.#viewers.add(viewer)
  }

  delete(viewer: LiveViewer): void {
    this.#viewers.delete(viewer)
  }

  /** Something has come; `entries` empty: everything has changed. */
  tell(entries: StreamEntry[]): void {
    for (const viewer of this.#viewers) if (viewer.v === 2) viewer.flush()
    if (this.#timer) return
    const waitMs = this.#wholeAtMs + WHOLE_EVERY_MS - performance.now()
    if (waitMs <= 0 || entries.length === 0 || entries.some(isLasting)) this.#tellWhole()
    else this.#timer = setTimeout(() => this.#tellWhole(), waitMs)
  }

  endAll(): void {
    clearTimeout(this.#timer)
    for (const viewer of [...this.#viewers]) viewer.end()
  }

  #tellWhole(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#wholeAtMs = performance.now()
    for (const viewer of this.#viewers) if (viewer.v === 1) viewer.flush()
  }
}
