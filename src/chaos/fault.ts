/** What a fault is, and what it can use to strike. */
import type { Finding } from './audit.ts'
import type { Load } from './load.ts'
import type { Random } from './random.ts'
import type { Strike } from './recovery.ts'
import type { Instance, Rig, RigEnv } from './rig.ts'
import type { Work } from './work.ts'

/** How the projects of our own pipeline are cut. */
export type Pace = { projects: number; steps: number; paceMs: number; firstMs?: number }

export const PACE: Pace = { projects: 4, steps: 6, paceMs: 120 }

/** Where a data folder lies that is not like others. */
export type Ground = {
  dataDir: string
  /** What is to be kept is copied there first. */
  release(keepIn: string | null): Promise<void>
}

export type Scene = {
  rig: Rig
  load: Load
  random: Random
  /** Aborts at the fault's deadline, and when the user wants to leave. */
  signal: AbortSignal
  /** Pace and shape are ours; a user's pipeline is as it is. */
  ours: boolean
  /** The program that serves now. */
  instance(): Instance
  /** Starts the program again, as a user would, and waits until it serves. */
  startAgain(): Promise<Instance>
  /** Takes one that was started by hand as the one that serves. */
  adopt(instance: Instance): void
  add(work: Work): Promise<string>
  found(kind: Finding['kind'], text: string): void
}

export type Fault = {
  id: string
  /** What is done, in a few words. */
  what: string
  /** It needs a pipeline of ours, so it cannot be done to a user's. */
  oursOnly?: true
  /** Settings under which it strikes. */
  env?: RigEnv
  /** The program attaches to a Redis of ours, which is there or not when it starts. */
  redis?: 'there' | 'away'
  /** It is mostly waiting, for about so many seconds: so others are done beside it. */
  waitsS?: number
  pace?: Partial<Pace>
  /** For faults that need a place of their own. */
  ground?: () => Promise<Ground | { skipped: string }>
  mayTear?: true
  strike(scene: Scene): Promise<Strike[]>
}
