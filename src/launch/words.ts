/** The launcher's facts as lines for people. The only place that words them. */
import { styleText } from 'node:util'
import { cutToColumns, printable } from '../lib/columns.ts'
import type { LogLevel } from '../lib/log.ts'
import type { LaunchFact, ReadyFact } from './facts.ts'
import { processLine } from './process-report.ts'
import { escalatedLine, outerLimitLine, redisLine, WITHOUT_INIT, waitedWords, waitingLine } from './stop-words.ts'

/** Colours are applied only where `colour` says that the reader can see them. */
export type Wording = { colour: boolean }

type Mark = 'ok' | 'warn' | 'bad'
const MARKS: Record<Mark, [string, 'green' | 'yellow' | 'red']> = {
  ok: ['✔', 'green'],
  warn: ['▲', 'yellow'],
  bad: ['✖', 'red'],
}

/** At most 14 lines: what runs, where, what was resumed, how to stop. */
export function readyLines(fact: ReadyFact, wording: Wording): string[] {
  const paint = painter(wording)
  return [
    `${paint('bold', 'Showrunner')} ${fact.version} ${paint('dim', `ready in ${fact.ms} ms`)}`,
    `  ${label('API')}${paint('cyan', fact.url)}  ${paint('dim', '/status  /openapi.json')}`,
    `  ${label('Data')}${fact.dataDir}`,
    ...(fact.loginUrl ? [`  ${label('Login')}${fact.loginUrl} ${paint('dim', '(once, for ten minutes)')}`] : []),
    ...componentRows(fact).map(
      ([mark, name, text]) => `  ${paint(MARKS[mark][1], MARKS[mark][0])} ${name.padEnd(11)}${text}`,
    ),
    ...(fact.interrupted.length > 0 ? [`  ${resumedLine(fact)}`] : []),
    `  ${paint('dim', 'Ctrl+C stops: running steps finish, the rest resumes on the next start')}`,
  ]
}

function label(text: string): string {
  return text.padEnd(13)
}

/** What the other lines leave of fourteen. */
const WORKER_ROWS = 3

type Row = [Mark, string, string]

function componentRows(fact: ReadyFact): Row[] {
  const { redis, providers, pipelines } = fact
  const why = redis.warning ?? redis.why
  const warnings = outsideRows(fact)
  const room = WORKER_ROWS - warnings.length
  const shown = fact.workers.length > room ? room - 1 : room
  const workers = fact.workers.slice(0, shown).map(workerRow)
  const rest = fact.workers.slice(shown)
  return [
    [redis.warning ? 'warn' : 'ok', 'redis', `${redis.mode} ${redis.where}${why ? ` (${why})` : ''}`],
    ...workers,
    ...(rest.length > 0
      ? [['ok', 'workers', `${shown > 0 ? 'and ' : ''}${rest.map((w) => w.name).join(', ')}`] as Row]
      : []),
    ['ok', 'scheduler', 'looks after open projects'],
    ffmpegRow(providers),
    providerRow(providers),
    ...pipelineRow(pipelines),
    ...warnings,
  ]
}

/** What whoever started us should do otherwise. */
function outsideRows({ outerLimit, withoutInit }: ReadyFact): Row[] {
  const limit = outerLimitLine(outerLimit)
  return [
    ...(limit ? [['warn', 'stop', limit] as Row] : []),
    ...(withoutInit ? [['warn', 'init', WITHOUT_INIT] as Row] : []),
  ]
}

function workerRow({ name, queues, processes }: ReadyFact['workers'][number]): Row {
  return ['ok', name, `${count(processes, 'process', 'processes')} for ${queues.join(', ')}`]
}

function ffmpegRow({ ffmpeg }: ReadyFact['providers']): Row {
  if ('missing' in ffmpeg) return ['bad', 'ffmpeg', `missing, so no films: ${ffmpeg.hint}`]
  return ['ok', 'ffmpeg', ffmpeg.path]
}

function providerRow({ models, speech }: ReadyFact['providers']): Row {
  if (models) return ['ok', 'provider', `${models.provider} at ${models.where}: ${models.names.join(', ')}`]
  return ['warn', 'provider', `built in, no AI model; narration by ${speech}`]
}

function pipelineRow({ names, problems }: ReadyFact['pipelines']): Row[] {
  const broken = problems.map((p) => `${p.file}: ${p.reason}`).join('; ')
  if (broken) return [['bad', 'pipelines', `${names.join(', ')}; not loaded: ${broken}`]]
  return names.length > 1 ? [['ok', 'pipelines', names.join(', ')]] : []
}

function resumedLine({ interrupted, resume }: ReadyFact): string {
  const shown = interrupted.slice(0, 3).map(({ title, stage }) => `"${clip(title)}" at ${stage}`)
  const more = interrupted.length > 3 ? ` and ${interrupted.length - 3} more` : ''
  const what = count(interrupted.length, 'interrupted project')
  return resume === 'auto'
    ? `resumed ${what}: ${shown.join(', ')}${more}`
    : `${what} wait for resume: ${shown.join(', ')}${more}`
}

function clip(title: string): string {
  return cutToColumns(printable(title), 40)
}

/** One line, or undefined for what people need not be told. */
export function factLine(fact: LaunchFact, wording: Wording): string | undefined {
  const paint = painter(wording)
  if (fact.type === 'process_status') return processLine(fact)
  switch (fact.type) {
    case 'progress':
      return fact.sentence
    case 'operator_asked':
      return `${fact.process}: ${fact.what}, asked for by ${fact.by}`
    case 'log_fault':
      return fact.reason === null
        ? 'logs are written again'
        : paint('yellow', `logs cannot be written (${fact.reason}); they go on when they can`)
    case 'survivors_ended':
      return survivorsLine(fact)
    case 'redis_changed':
      return redisLine(fact)
    case 'child_suspected':
      return paint('yellow', `${fact.name} ${fact.reason}`)
    case 'child_recovered':
      return `${fact.name} gives signs of life again, after ${(fact.silentMs / 1_000).toFixed(1)} s`
    case 'child_hung':
      return paint('red', `${fact.name} hangs (${fact.reason}); it is ended`)
    case 'child_exited':
      return fact.wanted ? paint('yellow', `${fact.name} ended: ${fact.reason}`) : undefined
    case 'child_repaired':
      return `${fact.name}: ${fact.what}`
    case 'child_restart_planned':
      return `${fact.name} starts again ${delayWords(fact.afterMs)}`
    case 'child_parked':
      return paint(
        'red',
        `${fact.name} is not started again: ${fact.reason}${fact.retryMs ? `; next try in ${Math.round(fact.retryMs / 1_000)} s` : ''}`,
      )
    case 'child_replacing':
    case 'child_replaced':
    case 'child_replace_failed':
      return replacementLine(fact, paint)
    case 'jobs_taken_back':
      return fact.jobs > 0 ? `put ${count(fact.jobs, 'stage')} of ${fact.worker} back into the queue` : undefined
    case 'consumer_refreshed':
      return paint('yellow', refreshedLine(fact))
    case 'death_charged':
      return chargedLine(fact, paint)
    case 'stopping':
      return stoppingLine(fact)
    case 'stop_waiting':
      return waitingLine(fact)
    case 'stop_escalated':
      return escalatedLine(fact.to)
    case 'child_stopped':
      return componentLine(fact.name, fact.ms, fact.forced ? ', killed' : '')
    case 'component_stopped':
      return componentLine(fact.name, fact.ms, '')
    case 'stopped':
      return stoppedLine(fact, paint)
    default:
      return undefined
  }
}

function survivorsLine({ survivors }: Extract<LaunchFact, { type: 'survivors_ended' }>): string {
  const names = survivors.map(({ command, pid }) => `${command} ${pid}`).join(', ')
  return `ended ${count(survivors.length, 'process', 'processes')} of an earlier run: ${names}`
}

function delayWords(afterMs: number): string {
  const ms = Math.round(afterMs)
  if (ms < 50) return 'at once'
  return ms < 1_000 ? `in ${ms} ms` : `in ${(ms / 1_000).toFixed(1)} s`
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}

type ReplacementFact = Extract<LaunchFact, { type: 'child_replacing' | 'child_replaced' | 'child_replace_failed' }>

function replacementLine(fact: ReplacementFact, paint: ReturnType<typeof painter>): string {
  const { type, name } = fact
  if (type === 'child_replacing') return `${name} is being replaced: ${fact.why}`
  if (type === 'child_replaced')
    return `${name} has a successor, which serves; the process before hands its stages over`
  return paint('yellow', `the successor of ${name} did not come up: ${fact.reason}; ${name} goes on`)
}

function chargedLine(fact: Extract<LaunchFact, { type: 'death_charged' }>, paint: ReturnType<typeof painter>): string {
  const { worker, stage, project, reason } = fact
  const what = `${worker} ${reason} because of ${stage} of ${project}`
  if (!fact.failed) return paint('yellow', `${what}; it runs again, with nothing beside it`)
  return paint('red', `${what}, once more; the stage has failed, resume tries it again`)
}

function refreshedLine({ name, queue, waitedMs }: Extract<LaunchFact, { type: 'consumer_refreshed' }>): string {
  return `${name} has taken nothing from ${queue} for ${Math.round(waitedMs / 1_000)} s, though jobs wait; it fetches anew`
}

const ERRORS: ReadonlySet<string> = new Set(['child_hung', 'child_parked', 'boot_failed', 'faulted'])

const WARNINGS: ReadonlySet<string> = new Set([
  'child_suspected',
  'child_replace_failed',
  'log_fault',
  'consumer_refreshed',
])

/** How much a fact matters; what has no line for people is for those who debug. */
export function levelOf(fact: LaunchFact): LogLevel {
  if (fact.type === 'child_line') return fact.name === 'redis' ? 'debug' : 'info'
  if (fact.type === 'death_charged') return fact.failed ? 'error' : 'warn'
  if (ERRORS.has(fact.type)) return 'error'
  if (WARNINGS.has(fact.type)) return 'warn'
  if (fact.type === 'child_exited' || fact.type === 'child_restart_planned')
    return fact.type === 'child_exited' && !fact.wanted ? 'debug' : 'warn'
  return fact.type === 'ready' || factLine(fact, { colour: false }) !== undefined ? 'info' : 'debug'
}

function componentLine(name: string, ms: number, how: string): string {
  return `  ✔ ${name.padEnd(11)}stopped after ${Math.round(ms)} ms${how}`
}

function stoppedLine({ ms, left, waited }: Extract<LaunchFact, { type: 'stopped' }>, paint: Paint): string {
  const why = waited ? `; ${waitedWords(waited)}` : ''
  if (left.length === 0) return `stopped in ${ms} ms, no process left${why}`
  return paint('red', `stopped in ${ms} ms, but these are left: ${left.join(', ')}${why}`)
}

function stoppingLine(fact: Extract<LaunchFact, { type: 'stopping' }>): string {
  if (fact.running.length === 0) return 'stopping'
  const names = [...new Set(fact.running.map((r) => r.stage))].join(', ')
  return `stopping: ${fact.running.length} running (${names}) get up to ${fact.deadlineS} s; a second Ctrl+C stops within 2 s`
}

type Paint = (format: Parameters<typeof styleText>[0], text: string) => string

function painter({ colour }: Wording): Paint {
  return (format, text) => (colour ? styleText(format, text, { validateStream: false }) : text)
}
