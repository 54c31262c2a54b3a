/** The user of a soak: starts the program again whenever it has ended, and knows where it serves. */
import { sleep } from '../lib/until.ts'
import type { Fact, Program } from './program.ts'
import type { Instance, Rig } from './rig.ts'

export type Keeper = {
  /** The one that was started last, whether it serves yet or not. */
  program(): Program
  /** The one that serves, or null while none does. */
  serving(): Instance | null
  /** Of all starts so far. */
  facts(): Fact[]
  starts(): number
  /** Tells that the end of the present program is somebody's doing. */
  excuse(): void
  /** Starts no more; the one that runs goes on. */
  rest(): void
}

export type KeeperOptions = {
  rig: Pick<Rig, 'launch' | 'serving'>
  signal: AbortSignal
  /** It ended, and nobody had killed it. */
  onEnd(sentence: string): void
}

/** A user is not quicker, and a start that fails at once must not become a storm. */
const PAUSE_MS = 100

export function createKeeper({ rig, signal, onEnd }: KeeperOptions): Keeper {
  const programs: Program[] = []
  let instance: Instance | null = null
  let excused = false
  let resting = false

  function launch(): Program {
    const program = rig.launch()
    programs.push(program)
    excused = false
    void adopt(program)
    return program
  }

  /** However long it boots on a slow machine: one that has ended is started again below. */
  async function adopt(program: Program): Promise<void> {
    while (program.exited() === null && !signal.aborted) {
      const serving = await rig.serving(program).catch(() => null) // it ended before it served, or is late
      if (serving && program.exited() === null) instance = serving
      if (serving) return
    }
  }

  async function keep(): Promise<void> {
    while (!resting && !signal.aborted) {
      const program = launch()
      const { code, signal: by } = await program.exit
      instance = null
      if (!excused && !signal.aborted)
        onEnd(`the program ended by itself (${by ?? `exit code ${code}`}): ${program.tail().slice(-500)}`)
      await sleep(PAUSE_MS, signal)
    }
  }

  keep().catch(() => {}) // the signal: the soak is over
  return {
    program: () => programs.at(-1)!,
    serving: () => instance,
    facts: () => programs.flatMap(({ facts }) => facts),
    starts: () => programs.length,
    excuse() {
      excused = true
    },
    rest() {
      resting = true
    },
  }
}
