/** Which processes there are, were or should be: who asks for the log of one that said nothing has not mistaken its name. */
import type { WorkerGroup } from '../config/grammars.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import { readChronicle } from './chronicle.ts'
import { knownProcesses } from './explanation.ts'

export type KnownSources = {
  /** Of the logs. */
  folder: string
  groups: readonly WorkerGroup[]
  /** Nobody where no server runs. */
  children?: () => ChildStatus[]
}

/** Slots, some of them more than once. */
export function createKnownProcesses({ folder, groups, children = () => [] }: KnownSources): () => Promise<string[]> {
  const configured = groups.flatMap(({ name, processes }) => range(processes).map((number) => `${name}-${number}`))
  return async () => [
    ...ALWAYS,
    ...configured,
    ...children().map(({ slot }) => slot),
    ...knownProcesses(await readChronicle(folder)),
  ]
}

const ALWAYS = ['supervisor', 'redis', 'scheduler']

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}
