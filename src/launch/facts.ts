/** Everything the launcher says about itself; words.ts puts it into lines. */
import type { ProviderFacts } from '../providers/pick.ts'
import type { SupervisorFact } from '../supervisor/facts.ts'
import type { Interrupted } from './resume.ts'

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
}

export type LaunchFact =
  | ReadyFact
  | SupervisorFact
  | { type: 'survivors_ended'; survivors: { pid: number; command: string }[] }
  | { type: 'progress'; sentence: string }
  | { type: 'redis_changed'; running: boolean }
  | { type: 'jobs_taken_back'; worker: string; jobs: number }
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
  | { type: 'component_stopped'; name: string; ms: number }
  /** `left` lists the processes of this run that are still there: it must be empty. */
  | { type: 'stopped'; ms: number; left: number[] }
