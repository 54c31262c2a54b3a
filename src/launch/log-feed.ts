/** The newest lines in memory while somebody follows them: a follower is a place in it, not a queue. */
import type { StoredLine } from './log-pages.ts'

export type LogFeed = {
  add(line: StoredLine): void
  /** Every line with a higher id than this is still here. */
  readonly floor: number
  after(id: number, process: string | undefined): StoredLine[]
  /** Resolves at the next line. Throws the signal's reason. */
  more(signal: AbortSignal): Promise<void>
}

/** Enough for who reads as lines come; who is behind reads the files. */
const KEPT_LENGTH = 256 * 1024
const AT_ONCE = 500
/** A follower asks again as soon as it has written what it got. */
const FOLLOWED_FOR_MS = 5_000

/** `since`: the id of the newest line that was there before. */
export function createLogFeed(since: number, now: () => number = () => performance.now()): LogFeed {
  let lines: StoredLine[] = []
  let first = 0
  let length = 0
  let floor = since
  let askedMs = -Infinity
  let waiters: (() => void)[] = []

  /** Lines leave one by one, and the array is cut once in a while. */
  function shrink(): void {
    while (length > KEPT_LENGTH && first < lines.length - 1) {
      const gone = lines[first++]!
      length -= gone.text.length
      floor = gone.id
    }
    if (first < 500) return
    lines = lines.slice(first)
    first = 0
  }

  function keep(line: StoredLine): void {
    lines.push(line)
    length += line.text.length
    shrink()
  }

  /** Nobody is there who would read it: the files have it. */
  function pass({ id }: StoredLine): void {
    floor = id
    if (lines.length > 0) lines = []
    first = 0
    length = 0
  }

  return {
    get floor() {
      return floor
    },
    add(line) {
      if (waiters.length > 0 || now() - askedMs < FOLLOWED_FOR_MS) keep(line)
      else pass(line)
      const callbacks = waiters
      waiters = []
      for (const callback of callbacks) callback()
    },
    after(id, process) {
      askedMs = now()
      const found: StoredLine[] = []
      for (let i = indexAfter(lines, first, id); i < lines.length && found.length < AT_ONCE; i++) {
        const line = lines[i]!
        if (process === undefined || line.process === process) found.push(line)
      }
      return found
    },
    async more(signal) {
      signal.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const onAbort = () => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      waiters.push(resolve)
      await promise.finally(() => {
        signal.removeEventListener('abort', onAbort)
        waiters = waiters.filter((waiter) => waiter !== resolve)
      })
    },
  }
}

/** Ids grow, so that half of what is left can be skipped each time. */
function indexAfter(lines: readonly StoredLine[], first: number, id: number): number {
  let [low, high] = [first, lines.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (lines[middle]!.id > id) high = middle
    else low = middle + 1
  }
  return low
}
