/** Which processes there are, were or should be: one that has printed nothing is no reason to doubt its name. */
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
