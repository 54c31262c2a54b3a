/** Who was ended in the middle of what it did, by what the programs said: only such ends may leave something half-written. Pure. */
import type { Fact, Program } from './program.ts'

export type Casualties = {
  /** Processes that write projects, and were ended by force. */
  writers: number
  /** Of them those since the last start, whose traces no start has removed yet. */
  writersSince: number
  /** When the program that served last was started. */
  lastStartMs: number
}

type Told = Pick<Program, 'facts' | 'exited' | 'startedAtMs'>

/** An end in good order, or hurried by an impatient user. */
const ORDERLY: ReadonlySet<number | null> = new Set([0, 130, 143])

export function casualtiesOf(programs: readonly Told[]): Casualties {
  const last = programs.findLast(({ facts }) => facts.some(({ type }) => type === 'ready'))
  const writers = programs.reduce((sum, program) => sum + writersOf(program), 0)
  return { writers, writersSince: last ? writersOf(last) : writers, lastStartMs: last?.startedAtMs ?? 0 }
}

/** Workers, the scheduler and the supervisor write; Redis has files of its own. */
function writersOf({ facts, exited }: Told): number {
  const children = facts.filter(({ name }) => name !== undefined && name !== 'redis')
  const killed = children.filter(({ type, code }) => type === 'child_exited' && code !== 0)
  const exit = exited()
  if (exit === null || ORDERLY.has(exit.code)) return killed.length
  return killed.length + 1 + livingAtTheEnd(children)
}

function livingAtTheEnd(children: readonly Fact[]): number {
  const count = (type: string) => children.filter((fact) => fact.type === type).length
  return Math.max(0, count('child_spawned') - count('child_exited'))
}
