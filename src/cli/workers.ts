/** `workers`: every worker process, what it does and how it is. */
import type { WorkerProcess } from '../api/schemas/workers.ts'
import { printable } from '../lib/columns.ts'
import type { Output } from './output.ts'
import { bytesText, durationText, textTable } from './text.ts'
import type { Verb } from './verb.ts'

export const workers: Verb = {
  usage: 'workers',
  summary: 'list worker processes: what they do and how they are',
  timeoutS: 10,
  async run({ out, connect, signal }) {
    const { client } = await connect()
    const { items } = await client.workers.list({ signal })
    out.data(items, workersText(items, out))
    return 0
  },
}

const HEAD = ['', 'process', 'pid', 'state', 'up', 'memory', 'CPU', 'jobs done', 'works on']

export function workersText(items: WorkerProcess[], out: Pick<Output, 'paint'>): string {
  const mark = (one: WorkerProcess) => {
    if (one.ready && !one.blocked) return out.paint('green', '✔')
    return one.alive ? out.paint('yellow', '▲') : out.paint('red', '✖')
  }
  const notes = items.flatMap(notesOf).map(printable)
  return [textTable([HEAD, ...items.map((one) => [mark(one), ...cellsOf(one).map(printable)])]), ...notes].join('\n')
}

function cellsOf(one: WorkerProcess): string[] {
  const { name, pid, uptime_s, rss_bytes, cpu_percent, jobs_done, active } = one
  const work = active.map(({ stage, project_id }) => `${stage} of ${project_id}`).join(', ')
  const alive = [durationText(uptime_s), bytesText(rss_bytes), `${cpu_percent.toFixed(1)} %`, String(jobs_done)]
  return [name, String(pid ?? '-'), stateOf(one), ...(pid === null ? ['-', '-', '-', '-'] : alive), work]
}

/** In words: `next` and `old` are there while a process is replaced. */
function stateOf({ role, phase, blocked }: WorkerProcess): string {
  if (blocked) return 'blocked'
  if (role === 'next') return 'coming up'
  return role === 'old' || phase === 'stopping' ? 'finishing' : phase
}

function notesOf(one: WorkerProcess): string[] {
  const { name, blocked } = one
  const end = endOf(one)
  const blockedText = blocked && `${name} gives no sign of life for ${durationText(blocked.since_s)}`
  return [
    ...(blocked ? [`${blockedText}${blocked.where ? `; it is in ${blocked.where}` : ''}`] : []),
    ...(end === undefined ? [] : [`${name} ${end}`]),
  ]
}

/** What came of its last end; one that was replaced has none. */
function endOf({ name, phase, restarts, last_exit }: WorkerProcess): string | undefined {
  if (!last_exit) return undefined
  const end = `${last_exit.reason} (${last_exit.at})`
  if (phase === 'parked') return `${end} and is not kept running; explain ${name} says why, restart ${name} tries again`
  if (phase === 'backoff') return `${end}; it is started again by itself`
  return `was started again ${restarts === 1 ? 'once' : `${restarts} times`}; before, it ${end}`
}
