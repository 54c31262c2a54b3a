/** A project as the API shows it: the state without what only our own files need. Pure. */
import type { ArtifactState, ProjectState, StageState } from '../project/project.ts'
import type { CommandAnswer } from '../queue/commands.ts'
import type { CommandBody, Project } from './schemas/project.ts'

export function projectView({ input_file: _file, ...state }: ProjectState): Project {
  return { ...state, stages: state.stages.map(stageView), artifacts: state.artifacts.map(artifactView) }
}

export function commandView({ state, dispatch }: CommandAnswer): CommandBody {
  return { ...projectView(state), dispatch }
}

/** A remembered step's value can be large, its key means nothing outside, and a streamed text is read as live messages. */
function stageView({
  result_artifact,
  text,
  text_artifact,
  own_input,
  ...stage
}: StageState): Project['stages'][number] {
  return { ...stage, steps: stage.steps.map(({ name, status }) => ({ name, status })) }
}

function artifactView({ file: _file, ...artifact }: ArtifactState): Project['artifacts'][number] {
  return artifact
}
