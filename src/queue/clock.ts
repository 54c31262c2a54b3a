/** Due times are written by the wall clock, which somebody may set back: pure. */
import type { ProjectState } from '../project/project.ts'

/** Less than this is how clocks are kept right, and harms no plan. */
const STEP_MS = 2_000

/**
 * True when the clock was set back since the project's last record. Its due times are of a time that
 * comes again only much later: whoever waits for one had better try now.
 */
export function isClockBehind({ updated_at }: Pick<ProjectState, 'updated_at'>, nowMs: number): boolean {
  return Date.parse(updated_at) - nowMs > STEP_MS
}
