/** A project's status from its stages, and which stage comes next: pure. */
import type { ProjectState, ProjectStatus, StageState } from './project.ts'
import { isOnItsWay } from './stage.ts'

/**
 * The first of these that any stage has decides; the order says what matters most to people. Without any there are only
 * completed stages and pending ones.
 */
const PRECEDENCE: readonly ProjectStatus[] = ['running', 'queued', 'failed', 'cancelled', 'waiting']

type Overall = Pick<ProjectState, 'status' | 'reason' | 'progress' | 'error'>

/** `continues`: the stages behind a completed one follow by themselves. */
export function projectStatus(stages: StageState[], continues: boolean): Overall {
  const decisive = PRECEDENCE.map((status) => stages.find((s) => s.status === status)).find((s) => s !== undefined)
  return {
    status: overall(stages, decisive?.status, continues),
    reason: decisive?.status === 'waiting' ? decisive.reason : null,
    progress: overallProgress(stages),
    error: decisive?.status === 'failed' ? decisive.error : null,
  }
}

/**
 * A project that has something done is under way as a whole while its next stage is queued, and also in the moment
 * before, when no stage is on its way: whoever took it for idle then would set a second one on its way.
 */
function overall(stages: StageState[], decisive: ProjectStatus | undefined, continues: boolean): ProjectStatus {
  const done = stages.filter((s) => s.status === 'completed').length
  if (decisive) return decisive === 'queued' && done > 0 ? 'running' : decisive
  if (done === stages.length) return 'completed'
  return continues && done > 0 ? 'running' : 'pending'
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
  if (stages.some(isOnItsWay)) return undefined
  const first = stages.find((s) => s.status !== 'completed')
  return first?.status === 'pending' ? first : undefined
}
