/** A project's status from its stages, and which stage comes next: pure. */
import type { ProjectState, ProjectStatus, StageState } from './project.ts'

/** The first of these that any stage has is the project's; the order says what matters most to people. */
const PRECEDENCE: readonly ProjectStatus[] = ['running', 'queued', 'failed', 'cancelled', 'waiting']

export function projectStatus(stages: StageState[]): Pick<ProjectState, 'status' | 'reason' | 'progress' | 'error'> {
  const decisive = PRECEDENCE.map((status) => stages.find((s) => s.status === status)).find((s) => s !== undefined)
  const done = stages.filter((s) => s.status === 'completed').length
  return {
    status: decisive ? overall(decisive.status, done) : done === stages.length ? 'completed' : 'pending',
    reason: decisive?.status === 'waiting' ? decisive.reason : null,
    progress: overallProgress(stages),
    error: decisive?.status === 'failed' ? decisive.error : null,
  }
}

/** Between two stages the next one is queued while the project as a whole is under way. */
function overall(status: ProjectStatus, done: number): ProjectStatus {
  return status === 'queued' && done > 0 ? 'running' : status
}

/** Whole percent; 100 only when every stage is completed. */
export function overallProgress(stages: StageState[]): number {
  if (stages.length === 0) return 0
  const sum = stages.reduce((total, s) => total + (s.status === 'completed' ? 100 : s.progress), 0)
  const done = stages.every((s) => s.status === 'completed')
  return done ? 100 : Math.min(99, Math.floor(sum / stages.length))
}

/** The stage that may be queued now: the first that is not completed, if it is pending and nothing is on its way. */
export function nextStage(stages: StageState[]): StageState | undefined {
  const first = stages.find((s) => s.status !== 'completed')
  return first?.status === 'pending' ? first : undefined
}
