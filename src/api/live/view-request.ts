/** What a viewer asks for, whatever it is connected by: checked once, for a project that the caller may see. */
import { AppError } from '../../lib/errors.ts'
import { readOwned } from '../access.ts'
import { type ApiContext, callerOf } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import type { ViewQuery } from '../schemas/live.ts'

export type ViewRequest = { id: string; stage?: string; since?: string; v: 1 | 2 }

type Asked = { id: string; stage?: string; query: Pick<ViewQuery, 'since' | 'v'> }

/** Throws `not_found` for a project that is not the caller's, and for a stage that it does not have. */
export async function readViewRequest(deps: ApiDeps, c: ApiContext, { id, stage, query }: Asked): Promise<ViewRequest> {
  const state = await readOwned(deps, id, callerOf(c))
  if (stage !== undefined && !state.stages.some((s) => s.name === stage))
    throw new AppError('not_found', `Project ${id} has no stage ${stage}`)
  return { id, stage, since: query.since, v: query.v }
}
