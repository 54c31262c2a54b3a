/** POST start, resume, cancel and rerun: each one line of a table, all answered with 202 and the state. */
import { createRoute, z } from '@hono/zod-openapi'
import type { Commands } from '../../queue/commands.ts'
import { readOwned } from '../access.ts'
import { type Api, callerOf } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { commandView } from '../project-view.ts'
import { IdSchema, json, NameSchema } from '../schemas/common.ts'
import { problems } from '../schemas/problem.ts'
import { CommandAnswerSchema, RerunSchema } from '../schemas/project.ts'

const VERBS = {
  start: 'Start a project; nothing changes when it runs already',
  resume: 'Go on where it stopped; nothing changes when it runs already',
  cancel: 'Cancel; nothing changes when it is cancelled already',
} as const satisfies Partial<Record<keyof Commands, string>>

const responses = {
  202: { description: 'Accepted', content: json(CommandAnswerSchema) },
  ...problems(
    'unauthorized',
    'not_found',
    'wrong_state',
    'wrong_media_type',
    'body_too_large',
    'missing_program',
    'disk',
  ),
}

const rerun = createRoute({
  method: 'post',
  path: '/api/v1/projects/{id}/stages/{stage}/rerun',
  summary: 'Do a stage anew, without its remembered steps',
  description: 'Completed later stages stay and are marked stale, unless and_following.',
  tags: ['projects'],
  request: { params: z.object({ id: IdSchema, stage: NameSchema }), body: { content: json(RerunSchema) } },
  responses: { ...responses, ...problems('invalid_json', 'invalid_value') },
})

export function addProjectCommandRoutes(app: Api, deps: ApiDeps): void {
  for (const verb of Object.keys(VERBS) as (keyof typeof VERBS)[]) addVerb(app, deps, verb)
  app.openapi(rerun, async (c) => {
    const { id, stage } = c.req.valid('param')
    await readOwned(deps, id, callerOf(c))
    const { and_following: andFollowing = false } = c.req.valid('json')
    return c.json(commandView(await deps.commands.rerun(id, stage, { andFollowing })), 202)
  })
}

function addVerb(app: Api, deps: ApiDeps, verb: keyof typeof VERBS): void {
  const route = createRoute({
    method: 'post',
    path: `/api/v1/projects/{id}/${verb}`,
    summary: VERBS[verb],
    tags: ['projects'],
    request: { params: z.object({ id: IdSchema }) },
    responses,
  })
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param')
    await readOwned(deps, id, callerOf(c))
    return c.json(commandView(await deps.commands[verb](id)), 202)
  })
}
