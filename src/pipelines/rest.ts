/** What a stage that has returned leaves behind: steps are told to end, programs are ended, and its clock runs on until they have. */
import { within } from '../lib/until.ts'
import type { AbortReason, RunRequest } from './attempt-run.ts'
import type { OpenContext } from './context.ts'

/** Steps whose signal has fired have so long to end by themselves, with their programs. */
const GRACE_MS = 2_000
/** Steps that waited for a program have ended so soon after its end. */
const KILLED_MS = 500
/** How a stage ended is written down so much later at the latest, whatever still runs. */
export const REST_MS = GRACE_MS + KILLED_MS

type RestParts = Pick<RunRequest, 'endPrograms'> & {
  /** Null before the stage's code has begun. */
  steps: Pick<OpenContext, 'isBusy' | 'endSteps'> | null
  abort: AbortController
  onSettled: () => void
}

/**
 * Resolves, never rejects, when no step is under way any more. One that hears nothing keeps it waiting: the hard
 * limit, which `onSettled` takes away, is what ends it then.
 */
export async function endRest({ steps, abort, endPrograms, onSettled }: RestParts): Promise<void> {
  const settled = steps?.endSteps()
  if (steps?.isBusy()) {
    if (!abort.signal.aborted) abort.abort('ended' satisfies AbortReason)
    await within(settled!, GRACE_MS, undefined)
  }
  endPrograms()
  await settled
  onSettled()
}
