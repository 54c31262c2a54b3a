/** `logs`: what processes have printed, and go on printing; from the server, or from the disk when there is none. */

import type { LogLine } from '../api/schemas/logs.ts'
import type { LostLines } from '../client/logs.ts'
import { timeText } from '../launch/explanation-words.ts'
import { createKnownProcesses } from '../launch/known-processes.ts'
import { openLogFiles } from '../launch/log-files.ts'
import { createLogReader } from '../launch/log-reader.ts'
import { prettyLine } from '../launch/log-words.ts'
import { AppError } from '../lib/errors.ts'
import { momentOf } from '../lib/moment.ts'
import { dataLayout } from '../project/layout.ts'
import type { Connection } from './connection.ts'
import { onlineOr } from './fallback.ts'
import { type ReadPage, readWanted, type Wanted } from './log-pages.ts'
import type { Output } from './output.ts'
import type { Verb, VerbContext } from './verb.ts'

export const logs: Verb = {
  usage: 'logs [process]',
  summary: 'print log lines of one process (io-1, redis, supervisor, …) or of all',
  options: [
    ['-f, --follow', 'go on with what is written'],
    [
      '--since <time>',
      'from there on: 10m, 2h, 14:02, a time with its date, or a cursor; all lines, unless -n is given',
    ],
    ['-n, --limit <lines>', 'the last so many, with --since of those; without either the last 200'],
  ],
  async run(context, [process], { follow, since, limit }) {
    const wanted = { process, since: readSince(since, new Date()), limit: readLimit(limit) }
    return follow === true ? followAll(context, wanted) : printAll(context, wanted)
  },
}

async function printAll(context: VerbContext, wanted: Wanted): Promise<number> {
  const { out } = context
  const read = await findSource(context, wanted)
  const items: LogLine[] = []
  let count = 0
  const { next } = await readWanted(read, wanted, (lines) => {
    count += lines.length
    if (out.json) items.push(...lines)
    else out.data(lines, lines.map((line) => lineText(line, out)).join('\n'))
  })
  if (out.json) out.data({ items, next }, '')
  else if (count === 0) out.say('No lines.')
  return 0
}

/** Who answers the first question answers all: what the disk says must not follow on a part of what a server said. */
function findSource(context: VerbContext, { process }: Wanted): Promise<ReadPage> {
  const proven = async (read: ReadPage) => {
    await read({ process, limit: 1 })
    return read
  }
  return onlineOr(context, {
    online: (connection) => proven(readerOf(context, connection)),
    offline: async () => proven((await openDisk(context)).page),
  })
}

function readerOf({ signal }: VerbContext, { client }: Connection): ReadPage {
  return (query) => client.logs.page(query, { signal })
}

async function openDisk({ config }: VerbContext) {
  const { dataDir, workers: groups } = config()
  const folder = dataLayout(dataDir).logs
  const files = await openLogFiles({ folder, onFault() {} })
  return createLogReader(files, createKnownProcesses({ folder, groups }))
}

/** Ctrl+C is the way to end it, and no failure; so is a pipe whose other end has had enough. */
async function followAll(context: VerbContext, wanted: Wanted): Promise<number> {
  const { out, signal } = context
  const print = (line: LogLine | LostLines) => out.data(line, lineText(line, out))
  try {
    const connection = await context.connect()
    const { next } = await readWanted(readerOf(context, connection), wanted, (lines) => lines.forEach(print))
    const query = { process: wanted.process, since: next }
    const onAbsent = () => out.say('The server does not answer any more; waiting until it does.')
    const options = { signal, onAbsent, locate: () => locate(context) }
    for await (const line of connection.client.logs.follow(query, options)) print(line)
  } catch (error) {
    if (!signal.aborted || signal.reason.name === 'TimeoutError') throw error
  }
  return 0
}

/** A server that was started anew may listen on another port. */
async function locate(context: VerbContext): Promise<string | undefined> {
  try {
    return (await context.connect()).url
  } catch (error) {
    if (error instanceof AppError && error.code === 'unavailable') return undefined // not started yet
    throw error
  }
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

function readLimit(limit: unknown): number | undefined {
  if (limit === undefined) return undefined
  const lines = Number(limit)
  if (Number.isInteger(lines) && lines >= 1) return lines
  throw new AppError('invalid_value', `--limit ${String(limit)}: expected a number of lines`)
}
