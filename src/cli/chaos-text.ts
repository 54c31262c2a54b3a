/** The scorecard of `chaos` in words. Pure. */
import type { Fault } from '../chaos/fault.ts'
import type { Report } from '../chaos/matrix.ts'
import type { SoakReport } from '../chaos/soak-report.ts'
import type { Trial } from '../chaos/trial.ts'
import { printable } from '../lib/columns.ts'
import type { Output } from './output.ts'
import { durationText, textTable } from './text.ts'

type Paint = Pick<Output, 'paint'>

const HEAD = ['', 'fault', 'noticed', 'runs again', 'repeated', 'lost', 'doubled', 'torn', 'left', 'done']

export function matrixText(report: Report, out: Paint): string {
  const { trials, totals, took_ms, seed } = report
  const of = (outcome: Trial['outcome']) => trials.filter((trial) => trial.outcome === outcome).length
  const counts = `${totals.lost} lost, ${totals.doubled} doubled, ${totals.torn} torn, ${totals.left} left behind`
  return [
    textTable([HEAD, ...trials.map((trial) => rowOf(trial, out))]),
    '',
    ...trials.flatMap((trial) => notesOf(trial, out)),
    `${of('passed')} passed, ${of('failed')} failed, ${of('skipped')} skipped in ${durationText(took_ms / 1_000)}`,
    out.paint(report.ok ? 'green' : 'red', `${totals.projects} projects: ${counts}; ${totals.repeated} steps repeated`),
    out.paint('dim', LEGEND),
    out.paint('dim', `The same again: --seed ${seed}`),
  ].join('\n')
}

const LEGEND =
  'noticed: until the program knew; of a dead supervisor: until nothing of it was left. runs again: until what was interrupted ran, else until the next stage began.'

export function trialLine({ id, outcome, took_ms, reason }: Trial, out: Paint): string {
  const why = outcome === 'skipped' ? `: ${reason}` : ''
  return `${markOf(outcome, out)} ${id.padEnd(22)} ${durationText(took_ms / 1_000)}${why}`
}

export function soakText(report: SoakReport, out: Paint): string {
  const { kills, missed, projects, starts, repeated, took_ms, seed, findings } = report
  const rows = report.victims.map(({ kind, kills: hits, median_ms, longest_ms }) => {
    return [kind, String(hits), timeText(median_ms), timeText(longest_ms)]
  })
  const count = (kind: string) => findings.filter((finding) => finding.kind === kind).length
  const verdict = `${count('lost')} lost, ${count('doubled')} doubled, ${count('torn')} torn, ${count('left')} left behind`
  return [
    textTable([['victim', 'kills', 'runs again (median)', 'longest'], ...rows]),
    '',
    `${kills} kills${missed > 0 ? ` (${missed} found nobody to kill)` : ''}, ${starts} starts in ${durationText(took_ms / 1_000)}`,
    ...findings.slice(0, MOST_NOTES).map(({ kind, text }) => `${out.paint('red', '✖')} ${kind}: ${printable(text)}`),
    ...(findings.length > MOST_NOTES ? [`  and ${findings.length - MOST_NOTES} more`] : []),
    out.paint(report.ok ? 'green' : 'red', `${projects} projects: ${verdict}; ${repeated ?? 0} steps repeated`),
    ...(report.folder === null ? [] : [`Kept to be looked at: ${report.folder}`]),
    out.paint('dim', `The same again: --seed ${seed}`),
  ].join('\n')
}

export function faultTable(faults: readonly Fault[]): string {
  return textTable(faults.map(({ id, what }) => [id, what]))
}

const MOST_NOTES = 20

function rowOf(trial: Trial, out: Paint): string[] {
  const { id, outcome, findings, what } = trial
  if (outcome === 'skipped') return [markOf(outcome, out), id, ...Array(7).fill('-'), `skipped: ${trial.reason}`]
  const count = (kind: string) => String(findings.filter((finding) => finding.kind === kind).length)
  const counts = [count('lost'), count('doubled'), count('torn'), count('left')]
  const repeated = trial.repeated === null ? '-' : String(trial.repeated)
  return [markOf(outcome, out), id, timeText(trial.noticed_ms), timeText(trial.again_ms), repeated, ...counts, what]
}

function markOf(outcome: Trial['outcome'], { paint }: Paint): string {
  if (outcome === 'skipped') return paint('yellow', '–')
  return outcome === 'passed' ? paint('green', '✔') : paint('red', '✖')
}

function notesOf({ id, reason, findings, outcome, folder }: Trial, out: Paint): string[] {
  if (outcome !== 'failed') return []
  const notes = [...(reason === null ? [] : [reason]), ...findings.map(({ kind, text }) => `${kind}: ${text}`)].map(
    printable,
  )
  const kept = folder === null ? [] : [`  kept to be looked at: ${folder}`]
  return [`${out.paint('red', '✖')} ${id}`, ...notes.slice(0, MOST_NOTES).map((note) => `  ${note}`), ...kept, '']
}

function timeText(ms: number | null): string {
  if (ms === null) return '-'
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}
