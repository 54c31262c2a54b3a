/** `cancel`, `resume` and `rerun`: one request each, answered by the state after it. */
import type { CommandBody } from '../api/schemas/project.ts'
import type { Connection } from './connection.ts'
import { statusWord } from './project-text.ts'
import type { Options, Verb, VerbContext } from './verb.ts'

type Request = { connection: Connection; id: string; options: Options; signal: AbortSignal }

export const cancel: Verb = {
  usage: 'cancel <id>',
  summary: 'stop a project; what it has finished stays',
  timeoutS: 30,
  run: command(({ connection, id, signal }) => connection.client.projects.cancel(id, { signal })),
}

export const resume: Verb = {
  usage: 'resume <id>',
  summary: 'go on with a project that failed, was cancelled or interrupted',
  timeoutS: 30,
  run: command(({ connection, id, signal }) => connection.client.projects.resume(id, { signal })),
}

export const rerun: Verb = {
  usage: 'rerun <id>',
  summary: 'do one stage anew',
  options: [
    ['--stage <name>', 'which stage', 'required'],
    ['--and-following', 'and all stages after it'],
  ],
  timeoutS: 30,
  run: command(({ connection, id, options, signal }) => {
    const and_following = options.andFollowing === true
    return connection.client.projects.rerun(id, options.stage as string, { and_following, signal })
  }),
}

function command(request: (facts: Request) => Promise<CommandBody>): Verb['run'] {
  return async ({ connect, out, signal }: VerbContext, [id = ''], options) => {
    const state = await request({ connection: await connect(), id, options, signal })
    out.data(state, `${state.id}: ${statusWord(state)}`)
    if (state.dispatch === 'delayed') out.say('Redis is away; the work starts when it is back.')
    return 0
  }
}
