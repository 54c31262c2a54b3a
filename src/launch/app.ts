/** The program from the moment its processes run: what a signal, or an error that nobody expected, does to it. */
import { messageOf, stackOf } from '../lib/errors.ts'
import type { MemoryKills } from '../lib/memory-kills.ts'
import type { LaunchFact } from './facts.ts'
import type { Phase } from './phase.ts'
import { processFacts } from './process-report.ts'
import { createStopper, type StopParts, type Stopper } from './stop.ts'

export type App = Omit<Stopper, 'stop'> & {
  /** As the stopper's; keeps what came first, e.g. `SIGTERM`. */
  stop(cause: string): Promise<void>
  /** One fact for each process. */
  tellStatus(): void
}

/** `run` is shared with whoever asks for its phase. */
export type AppParts = Omit<StopParts, 'onFact'> & {
  run: { phase: Phase; memory: Pick<MemoryKills, 'stop'>; onFact: (fact: LaunchFact) => void }
  onFault: (act: (error: unknown) => void) => void
}

export function createApp({ run, onFault, ...parts }: AppParts): App {
  const { supervisor, held, folder } = parts
  const stopper = createStopper({ ...parts, onFact: run.onFact })
  onFault((error) => {
    run.onFact(faultOf(error))
    stopper.kill()
  })
  return {
    ...stopper,
    tellStatus() {
      const report = { phase: run.phase, children: supervisor.status(), jobs: held.of }
      for (const fact of processFacts(report)) run.onFact(fact)
    },
    stop(cause) {
      if (run.phase !== 'stopping') {
        run.onFact({ type: 'stop_asked', signal: cause })
        void folder.announceStop().catch(() => {}) // whoever starts meanwhile believes that we serve
      }
      run.phase = 'stopping'
      return stopper.stop().finally(run.memory.stop)
    },
  }
}

export function faultOf(error: unknown): LaunchFact {
  return { type: 'faulted', reason: messageOf(error), stack: stackOf(error) }
}
