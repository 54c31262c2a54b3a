/** A project in memory that changes as a journal would tell it, as the hub's source. */

import { emptyFold } from '../../src/project/folded.ts'
import type { ProjectState, StageState } from '../../src/project/project.ts'
import { blankStage } from '../../src/project/stage.ts'
import { projectStatus } from '../../src/project/status.ts'
import { PROJECT } from '../../src/stream/events.ts'
import type { ProjectSource } from '../../src/stream/source.ts'

export type FakeProject = ReturnType<typeof createProject>

export function createProject(id: string, stageNames: string[]) {
  let revision = 1
  const texts: Record<string, string> = {}
  const revisions: Record<string, number> = { [PROJECT]: 1 }
  let stages: StageState[] = stageNames.map((name) => blankStage(name, 'llm'))
  const state = (): ProjectState => {
    const at = new Date(1_700_000_000_000 + revision * 1000).toISOString()
    return {
      ...emptyFold().state,
      id,
      pipeline: 'test',
      stages,
      ...projectStatus(stages, false),
      revision,
      updated_at: at,
    }
  }
  return {
    id,
    texts,
    revisions,
    state,
    /** Changes a stage as a record of the journal would; gives its revision. */
    change(name: string, fields: Partial<StageState>): number {
      revision++
      stages = stages.map((stage) => (stage.name === name ? { ...stage, ...fields } : stage))
      revisions[name] = revision
      revisions[PROJECT] = revision
      return revision
    },
  }
}

export function sourceOf(...projects: FakeProject[]): ProjectSource {
  const find = (id: string) => projects.find((project) => project.id === id)
  return {
    async read(id) {
      const project = find(id)
      return project && { state: project.state(), texts: { ...project.texts } }
    },
    revisions: async (id) => structuredClone(find(id)?.revisions),
  }
}
