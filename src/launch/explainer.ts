/** Answers "why is it as it is?" from the chronicle on disk and the processes that run. */
import { AppError } from '../lib/errors.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import type { SupervisorFact } from '../supervisor/facts.ts'
import { type ChronicleEntry, readChronicle } from './chronicle.ts'
import { slotOf } from './entries.ts'
import { type ExplainQuery, type Explanation, explain, knownProcesses } from './explanation.ts'
import type { LogLine } from './log-line.ts'
import { readNewest } from './log-pages.ts'
import { endOfRun } from './run-end.ts'
import { lastSignMs } from './sign-of-life.ts'

export type Explained = Explanation & Leavings

type Leavings = {
  /** The last lines of its present process, or of the one before; of a moment those before the end that is told. */
  last_lines: string[]
  /** Its last one; of a moment the one that is told. */
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
    if (query.atMs !== undefined) return { ...told, ...(await leavingsThen(folder, told)) }
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

/** The present process has nothing to do with an end of another one. */
async function leavingsThen(folder: string, { process, chain }: Explanation): Promise<Leavings> {
  const exit = chain.findLast(({ event, facts }) => event === 'exited' && facts.name === process)
  if (!exit) return { last_lines: [], last_exit: null }
  const { reason, code, signal } = exit.facts as Pick<ChildExit, 'reason' | 'code' | 'signal'>
  return { last_lines: await linesBefore(folder, exit), last_exit: { reason, at: exit.at, code, signal } }
}

type ChildExit = Extract<SupervisorFact, { type: 'child_exited' }>

const LINES = 20
/** The process that follows may have printed a lot in the second in which the one before ended. */
const LINES_READ = 500

async function linesBefore(folder: string, { process, at, facts }: ChronicleEntry): Promise<string[]> {
  const upTo = (Date.parse(at) + 1_000) * 1_000 // it is told of an end before all that it has printed is written
  const stored = await readNewest({ folder, processes: [process], upTo }, LINES_READ).catch(() => []) // only an extra
  return stored.flatMap(({ text }) => messagesOf(text, facts.pid)).slice(-LINES)
}

function messagesOf(text: string, pid: unknown): string[] {
  try {
    const line = JSON.parse(text) as LogLine
    return line.pid === pid ? [line.message] : []
  } catch {
    return [] // torn by a crash
  }
}

function lastExitOf(child: ChildStatus | undefined): Explained['last_exit'] {
  if (!child?.last_exit) return null
  const { reason, at, code, signal } = child.last_exit
  return { reason, at, code, signal }
}
