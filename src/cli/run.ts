/** `run <pipeline>`: makes a project, shows how it gets on, and says where the results are. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Project } from '../api/schemas/project.ts'
import { printable } from '../lib/columns.ts'
import { ERRORS } from '../lib/errors.ts'
import { dataLayout, projectLayout } from '../project/layout.ts'
import type { Connection } from './connection.ts'
import { readInput } from './input.ts'
import { createProgress } from './progress.ts'
import { errorText, statusWord } from './project-text.ts'
import { bytesText } from './text.ts'
import type { Options, Verb, VerbContext } from './verb.ts'

export const run: Verb = {
  usage: 'run <pipeline>',
  summary: 'run a pipeline and wait for it; for video the input file is the text, else JSON',
  options: [
    ['--input <file>', 'the input; - reads standard input'],
    ['--title <text>', 'what to call the project'],
    ['--set <key=value>', 'one value of the input, as JSON or text; can be repeated', 'repeatable'],
    ['--follow', 'show texts while they are written'],
    ['--no-wait', 'only start it'],
  ],
  async run(context, [pipeline = ''], options) {
    const connection = await context.connect()
    const created = await create(context, connection, { pipeline, options })
    context.out.say(`Project ${created.id}: ${printable(created.title)}`)
    if (options.wait === false) {
      context.out.data(created, created.id)
      return 0
    }
    const state = await follow(context, connection, { created, texts: options.follow === true })
    context.out.data(state, await resultText(context, connection, state))
    return exitCodeOf(state)
  },
}

type CreateFacts = { pipeline: string; options: Options }

async function create({ signal }: VerbContext, { client }: Connection, { pipeline, options }: CreateFacts) {
  const file = options.input as string | undefined
  const input = await readInput({ pipeline, file, set: (options.set as string[] | undefined) ?? [] })
  return client.projects.create({ pipeline, input, title: options.title as string | undefined }, { signal })
}

type FollowFacts = { created: Project; texts: boolean }

async function follow({ out, signal }: VerbContext, { client }: Connection, { created, texts }: FollowFacts) {
  const progress = createProgress(out, texts)
  try {
    return await client.waitFor(created.id, { signal, onState: progress.show, onMessage: progress.hear })
  } catch (error) {
    if (signal.aborted) out.say(`It goes on without us. See it with: project ${created.id}`)
    throw error
  } finally {
    progress.end()
  }
}

/** Where to find what was made: files when they lie on this machine, else addresses. */
async function resultText({ config, out }: VerbContext, { url }: Connection, state: Project): Promise<string> {
  if (state.status !== 'completed') {
    const why = state.error ? `: ${errorText(state.error)}` : ''
    out.warn(`${out.paint('red', '✖')} ${statusWord(state)}${why}`)
    return ''
  }
  out.say(`${out.paint('green', '✔')} completed`)
  const { published } = projectLayout(dataLayout(config().dataDir), state.id)
  const files = await readdir(published).catch(() => []) // another machine's, or a pipeline that publishes nothing
  if (files.length > 0)
    return files
      .sort()
      .map((name) => join(published, name))
      .join('\n')
  const address = (name: string) => `${url}/api/v1/projects/${state.id}/artifacts/${encodeURIComponent(name)}`
  return state.artifacts.map(({ name, bytes }) => `${address(name)}  ${bytesText(bytes)}`).join('\n')
}

function exitCodeOf({ status, error }: Project): number {
  if (status === 'completed') return 0
  return error !== null && Object.hasOwn(ERRORS, error.code) ? ERRORS[error.code as keyof typeof ERRORS].exit : 1
}
