/** Whose project it is, and what is the operator's: what somebody may not see does not exist for them. */
import type { MiddlewareHandler } from 'hono'
import { AppError } from '../lib/errors.ts'
import type { ProjectState } from '../project/project.ts'
import type { Caller } from './auth.ts'
import { type ApiEnv, callerOf } from './context.ts'
import type { ApiDeps } from './deps.ts'

/** The project's state. Throws `not_found` for an unknown project and for another one's alike. */
export async function readOwned(deps: Pick<ApiDeps, 'projects'>, id: string, caller: Caller): Promise<ProjectState> {
  const state = await deps.projects.read(id)
  if (!state || !(caller.operator || state.owner === caller.name))
    throw new AppError('not_found', `There is no project ${id}`)
  return state
}

/** Before a route about what belongs to nobody in particular (workers, logs, metrics): throws `forbidden`. */
export const operatorOnly: MiddlewareHandler<ApiEnv> = (c, next) => {
  if (!callerOf(c).operator) throw new AppError('forbidden', 'Only the operator may do this')
  return next()
}
