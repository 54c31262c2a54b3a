/** Lets a suspect of a crash run with nothing beside it in its process: a fair gate, first come, first served. */

export type Solitude = {
  /**
   * True when a suspect had better be given back, for another process to take: somebody is inside here, and
   * it has not been sent on for long.
   */
  isBetterElsewhere(suspect: string): boolean
  /**
   * Waits for its turn, `alone` until nothing else is inside, and gives the way out, to be called when
   * the work has ended. Null when the gate was closed first: then nothing may begin.
   */
  enter(alone: boolean): Promise<(() => void) | null>
  /** The process takes nothing new: whoever waits is sent away. */
  close(): void
}

type Waiting = { alone: boolean; admit: (leave: (() => void) | null) => void }

/** As long as the longest pause before the process that it came from is back (supervisor/policy.ts). */
const LOOK_ELSEWHERE_MS = 30_000

export function createSolitude(nowMs: () => number = () => performance.now()): Solitude {
  /** When each suspect was sent on first. One that ran elsewhere stays: crashes are few. */
  const sentOnMs = new Map<string, number>()
  let waiting: Waiting[] = []
  let inside = 0
  let isTaken = false // by one that is alone
  let isClosed = false

  function mayEnter({ alone }: Waiting): boolean {
    return alone ? inside === 0 : !isTaken
  }

  /** In their order: whoever has to wait holds up all behind it, so that nobody is overtaken for ever. */
  function admitNext(): void {
    for (let next = waiting[0]; next && mayEnter(next); next = waiting[0]) {
      waiting.shift()
      inside++
      isTaken = next.alone
      next.admit(wayOut())
    }
  }

  function wayOut(): () => void {
    let hasLeft = false
    return () => {
      if (hasLeft) return
      hasLeft = true
      inside--
      isTaken = false // one that is alone was the only one inside; others never were
      admitNext()
    }
  }

  return {
    isBetterElsewhere(suspect) {
      if (inside === 0 && waiting.length === 0) return false
      const sinceMs = sentOnMs.get(suspect) ?? nowMs()
      sentOnMs.set(suspect, sinceMs)
      return nowMs() - sinceMs < LOOK_ELSEWHERE_MS
    },
    enter(alone) {
      if (isClosed) return Promise.resolve(null)
      return new Promise((admit) => {
        waiting.push({ alone, admit })
        admitNext()
      })
    },
    close() {
      isClosed = true
      for (const { admit } of waiting) admit(null)
      waiting = []
    },
  }
}
