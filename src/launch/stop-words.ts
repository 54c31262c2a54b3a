/** The words of a stop: what it waits for, what the next Ctrl+C does, and what the outside allows. */
import { columnsOf, cutToColumns, printable } from '../lib/columns.ts'
import type { OuterLimit } from './outer-limit.ts'
import type { StoppingChild, StoppingJob, StopStep, StopView, Waited } from './stop-board.ts'
import { FULL_STOP_S, fitsFullStop } from './stop-budget.ts'

type Size = { columns: number; rows: number }

/** What is left for other lines on a small terminal. */
const OTHER_ROWS = 3

/** One line for each process that has not ended, and what the next Ctrl+C does; as many as there is room for. */
export function stopLines({ step, children }: StopView, { columns, rows }: Size): string[] {
  const room = Math.max(1, rows - OTHER_ROWS)
  const shown = children.length > room ? children.slice(0, room - 1) : children
  const rest = children.length - shown.length
  const lines = [
    ...shown.map((child) => childRow(child, columns - 1)),
    ...(rest > 0 ? [`  and ${rest} more processes`] : []),
    `  ${NEXT_PRESS[step]}`,
  ]
  return lines.map((line) => cutToColumns(line, columns - 1))
}

/** Where room is short the job's words are cut, and not its deadline. */
function childRow(child: StoppingChild, columns: number): string {
  const name = `  ${child.name.padEnd(11)} `
  const until = untilWords(child)
  const room = columns - columnsOf(name) - columnsOf(until)
  return `${name}${cutToColumns(jobsWords(child.jobs), Math.max(room, LEAST_COLUMNS))}${until}`
}

const LEAST_COLUMNS = 8

const NEXT_PRESS: Record<StopStep, string> = {
  drain: 'Ctrl+C again: steps end now, over within 2 s',
  hurry: 'Ctrl+C again: kill everything now',
  kill: 'killing everything',
}

/** The same for a log, where it is said once in a while. */
export function waitingLine(child: StoppingChild): string {
  return `waiting for ${child.name}: ${jobsWords(child.jobs)}${untilWords(child)}`
}

function untilWords({ jobs, told, left_s }: StoppingChild): string {
  if (told) return `, killed in ${left_s} s`
  return jobs.length === 0 ? '' : `, told to end in ${left_s} s`
}

/** The oldest is named, for it is the one to wait for. */
function jobsWords(jobs: readonly StoppingJob[]): string {
  if (jobs.length === 0) return 'ending'
  const oldest = jobs.reduce((a, b) => (b.age_s > a.age_s ? b : a))
  const more = jobs.length > 1 ? ` and ${jobs.length - 1} more` : ''
  return `${jobWords(oldest)} (${spanWords(oldest.age_s)})${more}`
}

function jobWords({ stage, title }: { stage: string; title: string }): string {
  return `${printable(stage)} of "${cutToColumns(printable(title), 32)}"`
}

function spanWords(seconds: number): string {
  const [s, min, h] = [seconds % 60, Math.floor(seconds / 60) % 60, Math.floor(seconds / 3_600)]
  if (h > 0) return `${h} h ${min} min`
  return min > 0 ? `${min} min ${s} s` : `${s} s`
}

export function waitedWords({ ms, process, job }: Waited): string {
  return `waited ${(ms / 1_000).toFixed(1)} s for ${job ? `${jobWords(job)} in ` : ''}${process}`
}

export function escalatedLine(to: StopStep): string {
  return to === 'kill'
    ? 'everything is killed'
    : 'running steps are told to end now; over within 2 s, Ctrl+C again kills everything'
}

/** Work neither goes on nor begins during a stop. */
export function redisLine({ running, stopping = false }: { running: boolean; stopping?: boolean }): string {
  const work = running ? 'work goes on' : 'work is accepted and starts when it is back'
  return `Redis ${running ? 'answers again' : 'does not answer'}; ${stopping ? 'the stop goes on' : work}`
}

/** Null when a whole stop fits into what the outside allows. */
export function outerLimitLine(limit: OuterLimit | null): string | null {
  if (limit === null || fitsFullStop(limit)) return null
  const { who, fix } = LIMIT_WORDS[limit.by]
  return `${who} kills after ${limit.seconds} s, a whole stop may take ${FULL_STOP_S}: ${fix}`
}

/** What cannot be seen from inside has to be said to us as well. */
const LIMIT_WORDS: Record<OuterLimit['by'], { who: string; fix: string }> = {
  setting: { who: 'whoever runs this', fix: 'allow it 40, and say so with STOP_TIMEOUT_S=40' },
  systemd: { who: 'systemd', fix: 'TimeoutStopSec=40 in the unit' },
  kubernetes: { who: 'Kubernetes', fix: 'terminationGracePeriodSeconds: 40, and STOP_TIMEOUT_S=40' },
  docker: { who: 'Docker', fix: 'docker run --stop-timeout 40 -e STOP_TIMEOUT_S=40' },
}

export const WITHOUT_INIT =
  'this is PID 1, where nobody clears away orphaned processes: use docker run --init, or tini as the entry point'
