/** What the hub needs to know from the disk; whoever starts it brings the journal. */
import type { ProjectState } from '../project/project.ts'

/** `texts`: what finished stages have streamed. */
export type ProjectRecord = { state: ProjectState; texts: Record<string, string> }

export type ProjectSource = {
  read(id: string): Promise<ProjectRecord | undefined>
  /** The journal's revision of each stage's last status change; `*project*`, when there, is the project's own. */
  revisions(id: string): Promise<Record<string, number> | undefined>
}
