/** Logs and explanations of two processes, in memory. */
import type { ApiDeps, LogReader } from '../../src/api/deps.ts'
import type { LogLine } from '../../src/api/schemas/logs.ts'
import { AppError } from '../../src/lib/errors.ts'

const AT = '2026-01-01T00:00:00.000Z'

export function logLine(id: number, changes: Partial<LogLine> = {}): LogLine {
  const said = { stream: 'stdout', level: 'info', message: `line ${id}` } as const
  return { id, line: id, at: AT, process: 'io-1', pid: 4713, ...said, ...changes }
}

export const fakeExplain: ApiDeps['explain'] = async ({ process, atMs }) => {
  if (process !== 'io-1') throw new AppError('not_found', `There is no process ${process}; there are io-1`)
  const facts = { code: 1, at_ms: atMs ?? null }
  const exit = { id: 7, at: AT, run: 'r1', process, event: 'exited', text: 'io-1 ended', cause: null, facts }
  const last_exit = { reason: 'exited with code 1', at: AT, code: 1, signal: null }
  const summary = 'io-1 was restarted at 00:00:00, because it exited with code 1.'
  return { process, state: 'ready', since: AT, summary, chain: [exit], history: [exit], last_lines: ['oh'], last_exit }
}

export function createFakeLogs(lines: LogLine[] = [logLine(1), logLine(2, { facts: { stage: 'shout' } })]): LogReader {
  const after = (since: string | undefined) => lines.filter(({ id }) => id > Number(since ?? 0))
  const check = (process: string | undefined) => {
    if (process !== undefined && process !== 'io-1') throw new AppError('not_found', `There is no log of ${process}`)
  }
  return {
    async page({ process, since, limit }) {
      check(process)
      const items = after(since).slice(0, limit)
      return { items, next: String(items.at(-1)?.id ?? since ?? 0) }
    },
    async follow({ process, since }) {
      check(process)
      return (async function* () {
        yield after(since).map((line) => ({ cursor: String(line.id), json: JSON.stringify(line) }))
      })()
    },
  }
}
