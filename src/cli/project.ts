/** `project <id>`: one project with its stages and files. */
import type { Project } from '../api/schemas/project.ts'
import { readFromDisk } from './disk.ts'
import { onlineOr } from './fallback.ts'
import { projectText } from './project-text.ts'
import type { Verb } from './verb.ts'

export const project: Verb = {
  usage: 'project <id>',
  summary: 'show one project with its stages and files',
  timeoutS: 30,
  async run(context, [id = '']) {
    const state: Project = await onlineOr(context, {
      online: ({ client }) => client.projects.get(id, { signal: context.signal }),
      offline: () => readFromDisk(context.config(), id),
    })
    context.out.data(state, projectText(state))
    return 0
  },
}
