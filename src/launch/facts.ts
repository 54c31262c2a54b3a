/** Everything the launcher says about itself; words.ts puts it into lines. */
import type { ProviderFacts } from '../providers/pick.ts'
import type { SupervisorFact } from '../supervisor/facts.ts'
import type { OuterLimit } from './outer-limit.ts'
import type { ProcessFact } from './process-report.ts'
import type { Interrupted } from './resume.ts'
import type { RunEnd } from './run-end.ts'
import type { StoppingChild, StopStep, Waited } from './stop-board.ts'

export type ReadyFact = {
  type: 'ready'
  version: string
  ms: number
  url: string
  dataDir: string
  redis: { mode: 'spawned' | 'attached'; where: string; why: string | null; warning: string | null }
  workers: { name: string; queues: readonly string[]; processes: number }[]
  providers: ProviderFacts
  pipelines: { names: string[]; problems: { file: string; reason: string }[] }
  interrupted: Interrupted[]
  resume: 'auto' | 'off'
  notes: readonly string[]
  loginUrl: string | null
  /** Who outside would kill us when a stop takes too long. */
  outerLimit: OuterLimit | null
  /** PID 1 without an init around it. */
  withoutInit: boolean
}

export type LaunchFact =
  | ReadyFact
  | SupervisorFact
  | ProcessFact
  /** `before`: how the run before ended, null when there was none. */
  | { type: 'booted'; version: string; pid: number; before: RunEnd | null }
  | { type: 'boot_failed'; reason: string }
  /** An error that nobody expected ends the program. */
  | { type: 'faulted'; reason: string; stack?: string | null }
  /** Somebody wants something done to a process, as it stands in `what`: "restart", "add", "take out". */
  | { type: 'operator_asked'; process: string; what: string; by: string }
  /** What ends the program in good order, e.g. `SIGTERM`. */
  | { type: 'stop_asked'; signal: string }
  /** Null when the logs are written again. */
  | { type: 'log_fault'; reason: string | null }
  /** A line of the API's log, as JSON. */
  | { type: 'api_line'; line: string }
  | { type: 'survivors_ended'; survivors: { pid: number; command: string }[] }
  | { type: 'progress'; sentence: string }
  /** `stopping`: the program is about to end, so that no work goes on or begins. */
  | { type: 'redis_changed'; running: boolean; stopping?: boolean }
  | { type: 'jobs_taken_back'; worker: string; jobs: number }
  /** The worker took nothing from this queue for so long, although jobs waited and it had room for them. */
  | { type: 'consumer_refreshed'; name: string; queue: string; waitedMs: number }
  /** A stage has ended its worker, for the `deaths`-th time; `failed`: it is not tried again. */
  | {
      type: 'death_charged'
      worker: string
      project: string
      stage: string
      reason: string
      deaths: number
      failed: boolean
    }
  | { type: 'stopping'; running: { stage: string; project: string }[]; deadlineS: number }
  /** Said while a stop waits for something. */
  | ({ type: 'stop_waiting' } & StoppingChild)
  | { type: 'stop_escalated'; to: StopStep }
  | { type: 'component_stopped'; name: string; ms: number }
  /** `left` lists the processes of this run that are still there: it must be empty. `waited`: what took the time. */
  | { type: 'stopped'; ms: number; left: number[]; waited: Waited | null }
