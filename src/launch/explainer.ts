/** Answers "why is it as it is?" from the chronicle on disk and the processes that run. */
import { AppError } from '../lib/errors.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import { readChronicle } from './chronicle.ts'
import { slotOf } from './entries.ts'
import { type ExplainQuery, type Explanation, explain, knownProcesses } from './explanation.ts'
import { endOfRun } from './run-end.ts'
import { lastSignMs } from './sign-of-life.ts'

export type Explained = Explanation & {
  /** The last lines of its present process, or of the one before. */
  last_lines: string[]
  last_exit: { reason: string; at: string; code: number | null; signal: string | null } | null
}

export type Explainer = (query: ExplainQuery) => Promise<Explained>

/** `children` is null where no server runs. Throws `not_found` for a process that nobody knows. */
export function createExplainer(sources: { folder: string; children: (() => ChildStatus[]) | null }): Explainer {
  const { folder } = sources
  return async (query) => {
    const entries = await readChronicle(folder)
    const children = sources.children?.() ?? []
    const process = slotOf(query.process)
    const known = new Set([
      ...(sources.children ? LIVE : []),
      ...children.map(({ slot }) => slot),
      ...knownProcesses(entries),
    ])
    if (!known.has(process)) throw unknownProcess(query.process, known)
    const child = children.find(({ name }) => name === process)
    const phase = sources.children ? phaseOf(process, child, children) : null
    const heardMs = phase === null && endOfRun(entries)?.how === 'lost' ? await lastSignMs(folder) : null
    const told = explain({ ...query, process }, { entries, phase, nowMs: Date.now(), heardMs })
    return { ...told, last_lines: child?.last_lines ?? [], last_exit: lastExitOf(child) }
  }
}

export function unknownProcess(name: string, known: Iterable<string>): AppError {
  const names = [...known].sort()
  const others = names.length > 0 ? `there are ${names.join(', ')}` : 'nothing is recorded yet'
  return new AppError('not_found', `There is no process ${name}; ${others}`)
}

/** Not a child of ours: the program itself, and a Redis that we have attached to. */
const LIVE = ['supervisor', 'redis']

function phaseOf(process: string, child: ChildStatus | undefined, children: readonly ChildStatus[]): string {
  if (child) return child.phase
  if (process === 'supervisor') return 'ready'
  return process === 'redis' && !children.some(({ group }) => group === 'redis') ? 'attached' : 'gone'
}

function lastExitOf(child: ChildStatus | undefined): Explained['last_exit'] {
  if (!child?.last_exit) return null
  const { reason, at, code, signal } = child.last_exit
  return { reason, at, code, signal }
}
