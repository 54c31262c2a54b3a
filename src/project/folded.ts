/** The fold's value, and how a part of it is replaced: nothing here decides anything. */
import type { ProjectState, StageState } from './project.ts'
import type { ClaimOwner, JournalRecord, WorkerExit } from './records.ts'

export type Of<T extends JournalRecord['type']> = Extract<JournalRecord, { type: T }>

/** What the fold knows of a stage beyond its visible state. */
export type StageInternals = {
  /** The claim that counts; null when nobody's does. */
  fence: string | null
  owner: ClaimOwner | null
  /** Bumped by rerun, so that remembered steps no longer fit. */
  take: number
  /** Position of the claim's record: a later claim has a larger one. */
  claimRevision: number
  /** Position of the last record that changed the stage's status. */
  revision: number
  /** Paid calls under way, by request key: how often one was begun and its answer never came. */
  intents: Record<string, number>
  /** Ends of workers that this stage is charged with since it was last begun anew, or has come further. */
  deaths: readonly WorkerExit[]
  /** How many it was charged with before it came further. */
  outlived: number
  /** It may have ended its worker: it runs again with nothing beside it. */
  alone: boolean
  /** The content hashes of what the stage itself has put in this take, by name, whichever stage replaced it since. */
  files: Readonly<Record<string, string>>
}

export const NO_INTERNALS: StageInternals = {
  fence: null,
  owner: null,
  take: 0,
  claimRevision: 0,
  revision: 0,
  intents: {},
  deaths: [],
  outlived: 0,
  alone: false,
  files: {},
}

export type Folded = {
  state: ProjectState
  internals: Record<string, StageInternals>
  /** Whether the stages behind a completed one follow by themselves. */
  continues: boolean
  /** Every task so far, as its stage stood under it last. */
  tasks: Record<string, StageState>
  /** Files that were found gone: should the disk show them again, they are somebody's work, and not left over. */
  lost: readonly string[]
  /** The tasks of requests that may be repeated. */
  requests: Record<string, string>
  /** Position of the last record that changed the project's status or progress. */
  projectRevision: number
}

export function emptyFold(): Folded {
  const none = { internals: {}, tasks: {}, lost: [], requests: {} }
  return { state: blankState(), continues: false, projectRevision: 0, ...none }
}

/** A stage, and what becomes of its claim. */
export type Mapped = { stage: StageState; internals?: (old: StageInternals) => StageInternals }

/** What a stage is not suspected of any more. */
const INNOCENT: Pick<StageInternals, 'deaths' | 'outlived' | 'alone'> = { deaths: [], outlived: 0, alone: false }

/** Takes the claim away: whoever holds it can no longer write. The stage begins with a clean record. */
export function revoke(stage: StageState, { take = false } = {}): Mapped {
  const anew = (old: StageInternals) => (take ? { take: old.take + 1, files: {} } : {})
  return { stage, internals: (old) => ({ ...old, ...INNOCENT, fence: null, owner: null, ...anew(old) }) }
}

/** The stage has ended by itself: how its workers ended before counts no more. */
export function acquit(folded: Folded, name: string): Folded {
  const mine = folded.internals[name]!
  if (!mine.alone) return folded
  return { ...folded, internals: { ...folded.internals, [name]: { ...mine, ...INNOCENT } } }
}

export function mapStages(folded: Folded, change: (stage: StageState, index: number) => Mapped): Folded {
  const internals = { ...folded.internals }
  const stages = folded.state.stages.map((old, index) => {
    const result = change(old, index)
    if (result.internals) internals[old.name] = result.internals(internals[old.name]!)
    return result.stage
  })
  return { ...folded, internals, state: { ...folded.state, stages } }
}

export function setStage(folded: Folded, stage: StageState): Folded {
  const stages = folded.state.stages.map((s) => (s.name === stage.name ? stage : s))
  return { ...folded, state: { ...folded.state, stages } }
}

export function findStage(folded: Folded, name: string): StageState | undefined {
  return folded.state.stages.find((s) => s.name === name)
}

function blankState(): ProjectState {
  return {
    version: 1,
    id: '',
    pipeline: '',
    title: '',
    owner: '',
    batch_id: null,
    status: 'pending',
    reason: null,
    progress: 0,
    created_at: '',
    updated_at: '',
    revision: 0,
    input: null,
    input_file: null,
    error: null,
    stages: [],
    artifacts: [],
  }
}
