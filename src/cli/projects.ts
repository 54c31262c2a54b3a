/** `projects`: the newest ones, from the server or, when none runs, from the disk. */
import { AppError } from '../lib/errors.ts'
import type { ProjectSummary } from '../project/project.ts'
import { listFromDisk } from './disk.ts'
import { onlineOr } from './fallback.ts'
import { statusWord } from './project-text.ts'
import { durationText, plainTable } from './text.ts'
import type { Options, Verb } from './verb.ts'

export const projects: Verb = {
  usage: 'projects',
  summary: 'list projects, newest first',
  options: [
    ['--status <status>', 'only those with this status'],
    ['--pipeline <name>', 'only those of this pipeline'],
    ['--search <text>', 'only those with this text in their title'],
    ['--limit <n>', 'at most so many (20)'],
  ],
  timeoutS: 30,
  async run(context, _args, options) {
    const query = queryOf(options)
    const items: ProjectSummary[] = await onlineOr(context, {
      online: async ({ client }) => (await client.projects.list(query, { signal: context.signal })).items,
      offline: () => listFromDisk(context.config(), query),
    })
    context.out.data(items, plainTable(items.map((item) => rowOf(item, Date.now()))))
    if (items.length === 0) context.out.say('No projects.')
    return 0
  },
}

function queryOf(options: Options) {
  const text = (name: string) => options[name] as string | undefined
  const limit = Number(text('limit') ?? 20)
  if (!Number.isInteger(limit) || limit < 1 || limit > 200)
    throw new AppError('invalid_value', '--limit is a number from 1 to 200')
  return {
    status: text('status') as ProjectSummary['status'] | undefined,
    pipeline: text('pipeline'),
    q: text('search'),
    limit,
  }
}

function rowOf(item: ProjectSummary, nowMs: number): string[] {
  const age = durationText((nowMs - Date.parse(item.created_at)) / 1000)
  return [item.id, item.pipeline, statusWord(item), `${Math.floor(item.progress)} %`, `${age} ago`, item.title]
}
