/** `logs`: what processes have printed, and go on printing; from the server, or from the disk when there is none. */

import type { LogLine } from '../api/schemas/logs.ts'
import type { Client } from '../client/client.ts'
import type { LostLines } from '../client/logs.ts'
import { timeText } from '../launch/explanation-words.ts'
import { openLogFiles } from '../launch/log-files.ts'
import { createLogReader } from '../launch/log-reader.ts'
import { prettyLine } from '../launch/log-words.ts'
import { AppError } from '../lib/errors.ts'
import { momentOf } from '../lib/moment.ts'
import { dataLayout } from '../project/layout.ts'
import { onlineOr } from './fallback.ts'
import type { Output } from './output.ts'
import type { Verb, VerbContext } from './verb.ts'

type Query = { process?: string; since?: string; limit: number }

export const logs: Verb = {
  usage: 'logs [process]',
  summary: 'print log lines of one process (io-1, redis, supervisor, …) or of all',
  options: [
    ['-f, --follow', 'go on with what is written'],
    ['--since <time>', 'from there on: 10m, 2h, 14:02, a time with its date, or a cursor'],
    ['-n, --limit <lines>', 'so many lines; 200 when not given'],
  ],
  async run(context, [process], { follow, since, limit }) {
    const query = { process, since: readSince(since, new Date()), limit: readLimit(limit) }
    if (follow === true) return followAll(context, (await context.connect()).client, query)
    const page = await onlineOr(context, {
      online: ({ client }) => client.logs.page(query, { signal: context.signal }),
      offline: () => readDisk(context, query),
    })
    context.out.data(page, page.items.map((line) => lineText(line, context.out)).join('\n'))
    return 0
  },
}

/** Ctrl+C is the way to end it, and no failure; so is a pipe whose other end has had enough. */
async function followAll({ out, signal }: VerbContext, client: Client, query: Query): Promise<number> {
  try {
    for await (const line of client.logs.follow(query, { signal })) out.data(line, lineText(line, out))
  } catch (error) {
    if (!signal.aborted || signal.reason.name === 'TimeoutError') throw error
  }
  return 0
}

async function readDisk({ config }: VerbContext, query: Query) {
  const files = await openLogFiles({ folder: dataLayout(config().dataDir).logs, onFault() {} })
  return createLogReader(files, () => []).page(query)
}

function lineText(line: LogLine | LostLines, out: Pick<Output, 'paint'>): string {
  if ('lost' in line)
    return out.paint('yellow', `${line.lost} lines of ${line.process} had gone before they could be read`)
  const { process, stream } = line
  const name = stream === 'api' ? 'api' : process
  return `${out.paint('dim', timeText(Date.parse(line.at), Date.now()))} ${prettyLine(name, line, out.paint)}`
}

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A cursor or an ISO time, as the API takes it. Throws `invalid_value`. */
export function readSince(since: unknown, now: Date): string | undefined {
  if (since === undefined) return undefined
  const text = String(since)
  const span = /^(\d{1,6})([smhd])$/.exec(text)
  if (/^\d{1,16}$/.test(text)) return text
  const ms = span ? now.getTime() - Number(span[1]) * UNITS[span[2]!]! : momentOf(text, now)
  if (Number.isNaN(ms))
    throw new AppError('invalid_value', `--since ${text}: expected 10m, 14:02, a time with its date, or a cursor`)
  return new Date(ms).toISOString()
}

function readLimit(limit: unknown): number {
  const lines = limit === undefined ? 200 : Number(limit)
  if (Number.isInteger(lines) && lines >= 1) return lines
  throw new AppError('invalid_value', `--limit ${String(limit)}: expected a number of lines`)
}
