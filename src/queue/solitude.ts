/** Lets a suspect of a crash run with nothing beside it in its process: a fair gate, first come, first served. */

export type Solitude = {
  /**
   * Waits for its turn, `alone` until nothing else is inside, and gives the way out, to be called when
   * the work has ended. Null when the gate was closed first: then nothing may begin.
   */
  enter(alone: boolean): Promise<(() => void) | null>
  /** The process takes nothing new: whoever waits is sent away. */
  close(): void
}

type Waiting = { alone: boolean; admit: (leave: (() => void) | null) => void }

export function createSolitude(): Solitude {
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
