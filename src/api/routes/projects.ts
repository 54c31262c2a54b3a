/** Projects: create, list, read, delete. */
import { createRoute, z } from '@hono/zod-openapi'
import { uuidv7 } from '../../lib/ids.ts'
import type { CommandAnswer, CreateRequest } from '../../queue/commands.ts'
import { readOwned } from '../access.ts'
import { type Api, callerOf } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { createIdempotency, type StoredAnswer } from '../idempotency.ts'
import { commandView, projectView } from '../project-view.ts'
import { IdSchema, json } from '../schemas/common.ts'
import { IdempotencyHeaderSchema } from '../schemas/idempotency.ts'
import { problems } from '../schemas/problem.ts'
import * as schemas from '../schemas/project.ts'

const PATH = '/api/v1/projects'
const tags = ['projects']
const params = z.object({ id: IdSchema })

const create = createRoute({
  method: 'post',
  path: PATH,
  summary: 'Make a project, and start it unless autostart is false',
  tags,
  request: {
    headers: IdempotencyHeaderSchema,
    body: { required: true, content: json(schemas.CreateProjectSchema) },
  },
  responses: {
    201: {
      description: 'Made',
      headers: z.object({ Location: z.string(), 'Idempotency-Replayed': z.literal('true').optional() }),
      content: json(schemas.CommandAnswerSchema),
    },
    ...problems('unauthorized', 'not_found', 'invalid_json', 'invalid_value', 'key_reused', 'in_progress'),
    ...problems('body_too_large', 'wrong_media_type', 'missing_program', 'disk'),
  },
})

const list = createRoute({
  method: 'get',
  path: PATH,
  summary: 'Projects, newest first',
  tags,
  request: { query: schemas.ProjectQuerySchema },
  responses: {
    200: { description: 'One page', content: json(schemas.ProjectListSchema) },
    ...problems('unauthorized', 'invalid_value'),
  },
})

const read = createRoute({
  method: 'get',
  path: `${PATH}/{id}`,
  summary: 'The whole state',
  tags,
  request: { params },
  responses: {
    200: { description: 'The state', content: json(schemas.ProjectSchema) },
    ...problems('unauthorized', 'not_found'),
  },
})

const remove = createRoute({
  method: 'delete',
  path: `${PATH}/{id}`,
  summary: 'Delete a project and its files',
  tags,
  request: { params },
  responses: {
    204: { description: 'Deleted' },
    ...problems('unauthorized', 'not_found', 'wrong_state', 'wrong_media_type', 'body_too_large', 'disk'),
  },
})

export function addProjectRoutes(app: Api, deps: ApiDeps): void {
  addCreate(app, deps)
  app.openapi(list, async (c) => {
    const caller = callerOf(c)
    const owner = caller.operator ? undefined : caller.name
    return c.json(await deps.projects.list({ ...c.req.valid('query'), owner }), 200)
  })
  app.openapi(read, async (c) => {
    const state = await readOwned(deps, c.req.valid('param').id, callerOf(c))
    return c.json(projectView(state), 200)
  })
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid('param')
    await readOwned(deps, id, callerOf(c))
    await deps.commands.remove(id)
    return c.body(null, 204)
  })
}

function addCreate(app: Api, deps: ApiDeps): void {
  const { once } = createIdempotency({ folder: deps.paths.idempotency, log: deps.log })
  app.openapi(create, async (c) => {
    const request = { ...c.req.valid('json'), owner: callerOf(c).name }
    const key = c.req.valid('header')['Idempotency-Key']
    const run = (id: string, again: boolean) => createProject(deps, { ...request, id }, again)
    if (key === undefined) return created(await run(uuidv7(), false))
    const { replayed, ...answer } = await once({ user: request.owner, key, request: { [PATH]: request }, run })
    return created(answer, replayed ? { 'Idempotency-Replayed': 'true' } : {})
  })
}

/** `again`: an earlier try may have made it before it died; then what it left is taken up, not made twice. */
async function createProject(deps: ApiDeps, request: CreateRequest, again: boolean): Promise<StoredAnswer> {
  const left = again ? await deps.projects.read(request.id) : undefined
  const answer = left
    ? await takeUp(deps, request, { state: left, dispatch: 'queued' })
    : await deps.commands.create(request)
  return { status: 201, location: `${PATH}/${answer.state.id}`, body: commandView(answer) }
}

async function takeUp(deps: ApiDeps, request: CreateRequest, left: CommandAnswer): Promise<CommandAnswer> {
  return request.autostart && left.state.status === 'pending' ? deps.commands.start(request.id) : left
}

/** The stored body is a state that was valid when it was made; a type for it would only repeat the schema. */
function created(answer: StoredAnswer, extra: Record<string, string> = {}) {
  return new Response(JSON.stringify(answer.body), {
    status: answer.status,
    headers: { 'Content-Type': 'application/json', Location: answer.location ?? '', ...extra },
  }) as never
}
