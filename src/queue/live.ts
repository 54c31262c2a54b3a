/** Tells viewers what stages do, in the journal's name: claims and revisions say whose word counts. */
import type { LiveStage } from '../pipelines/attempt-run.ts'
import type { Attempt } from '../project/attempt.ts'
import type { Project } from '../project/store.ts'
import type { Producer } from '../stream/producer.ts'
import { revisionsOf } from './reader.ts'

/** Nothing here fails a stage: the journal has it all. */
export type Live = {
  open(attempt: Attempt): Promise<LiveStage>
  /** Tells the statuses that the journal holds. */
  announce(project: Project): Promise<void>
}

export function createLive(producer: Producer): Live {
  return {
    open: ({ project, stage, fence, claimRevision }) =>
      producer.open({ projectId: project.id, stage, fence, claimRevision }),
    announce: (project) => producer.announce(project.read().state, revisionsOf(project.read())),
  }
}
