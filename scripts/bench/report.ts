/** Findings as a table for people and as JSON for programs. */
import { availableParallelism, cpus, loadavg } from 'node:os'
import type { Benchmark, Finding, Goal, Part, Unit } from './benchmark.ts'
import { figuresOf } from './statistics.ts'

/** `error` instead of findings when it could not be measured. */
export type Outcome = {
  benchmark: Pick<Benchmark, 'name' | 'what' | 'goal'>
  findings: Finding[]
  error: string | null
}

const HEAD = ['benchmark', 'ours', 'lowest–highest', 'reference', 'ratio', 'goal', 'met']

export function tableOf(outcomes: readonly Outcome[]): string {
  const rows = outcomes.flatMap(rowsOf)
  const widths = HEAD.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: string[]) =>
    cells
      .map((cell, i) => pad(cell, widths[i]!, i))
      .join('  ')
      .trimEnd()
  const lines = [HEAD, widths.map((width) => '─'.repeat(width)), ...rows].map(line)
  const reasons = outcomes.flatMap(({ benchmark, error }) => (error === null ? [] : [`${benchmark.name}: ${error}`]))
  return `${[...lines, ...(reasons.length === 0 ? [] : ['', ...reasons])].join('\n')}\n`
}

/** Everything, the samples too, so that runs can be compared later. */
export function jsonOf(outcomes: readonly Outcome[]): string {
  const results = outcomes.map(({ benchmark, findings, error }) => ({
    ...{ name: benchmark.name, what: benchmark.what, goal: benchmark.goal, error },
    findings: findings.map((finding) => ({ ...finding, figures: figuresOf(finding) })),
  }))
  return `${JSON.stringify({ at: new Date().toISOString(), machine: machine(), results }, null, 2)}\n`
}

/** Figures mean nothing without the machine, and little on a busy one. */
export function machine() {
  const load = Math.round(loadavg()[0]! * 100) / 100
  return { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version, load }
}

function rowsOf({ benchmark, findings, error }: Outcome): string[][] {
  if (error !== null) return [[benchmark.name, 'not measured', '', '', '', '', '']]
  return findings.flatMap((finding) => [rowOf(benchmark.name, finding), ...(finding.parts ?? []).map(partRow)])
}

function rowOf(benchmark: string, finding: Finding): string[] {
  const { unit, goal, ours: samples } = finding
  const { ours, reference, ratio, met } = figuresOf(finding)
  return [
    `${benchmark}: ${finding.name}`,
    worded(ours, unit),
    `${rounded(Math.min(...samples))}–${rounded(Math.max(...samples))}`,
    reference === null ? '' : worded(reference, unit),
    ratio === null ? '' : `${ratio.toFixed(2)}×`,
    goal === null ? '' : goalWords(goal, unit),
    met === null ? '' : met ? 'yes' : 'NO',
  ]
}

function partRow({ name, value, unit }: Part): string[] {
  return [`    ${name}`, worded(value, unit), '', '', '', '', '']
}

function goalWords(goal: Goal, unit: Unit): string {
  const [sign, limit] = 'atMost' in goal ? ['≤', goal.atMost] : ['≥', goal.atLeast]
  if (goal.of === 'ratio') return `${sign} ${limit}×`
  return `${sign} ${goal.of === 'difference' ? '+' : ''}${worded(limit, unit)}`
}

function worded(value: number, unit: Unit): string {
  return `${rounded(value)}${unit === '×' ? '' : ' '}${unit}`
}

/** Three digits that count. */
function rounded(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

/** Names to the left, figures to the right. */
function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}
