/** `explain`: why a process is as it is, or was at a moment; from the server, or from what it has left on the disk. */
import type { Explanation } from '../api/schemas/explanation.ts'
import { createExplainer } from '../launch/explainer.ts'
import type { ExplainQuery } from '../launch/explanation.ts'
import { timeText } from '../launch/explanation-words.ts'
import { harmless } from '../launch/log-words.ts'
import { AppError } from '../lib/errors.ts'
import { isoOf, momentOf, spanMsOf } from '../lib/moment.ts'
import { dataLayout } from '../project/layout.ts'
import { onlineOr } from './fallback.ts'
import type { Output } from './output.ts'
import { textTable } from './text.ts'
import type { Verb } from './verb.ts'

export const explain: Verb = {
  usage: 'explain <process>',
  summary: 'why a process (io-1, redis, supervisor, …) is as it is, and what happened to it',
  options: [['--at <time>', 'explain that moment: 14:02 (of the last 24 hours), or a time with its date']],
  timeoutS: 30,
  async run(context, [process = ''], { at }) {
    const moment = readMoment(at)
    const told = await onlineOr(context, {
      online: ({ client }) =>
        client.explain(process, { at: moment && isoOf(moment.atMs, moment.spanMs), signal: context.signal }),
      offline: () => explainFromDisk(dataLayout(context.config().dataDir).logs, { process, ...moment }),
    })
    context.out.data(told, explanationText(told, context.out, { ofMoment: moment !== undefined }))
    return 0
  },
}

function explainFromDisk(folder: string, query: ExplainQuery): Promise<Explanation> {
  return createExplainer({ folder, children: null })(query)
}

/** Read here, because the clock meant is that of whoever asks. Throws `invalid_value`. */
function readMoment(at: unknown): { atMs: number; spanMs: number } | undefined {
  if (at === undefined) return undefined
  const text = String(at)
  const atMs = momentOf(text, new Date())
  if (!Number.isNaN(atMs)) return { atMs, spanMs: spanMsOf(text) }
  throw new AppError('invalid_value', `--at ${text}: expected a time like 14:02 or 2026-11-23T14:02:11Z`)
}

/** `ofMoment`: the output is of the process that ended then. */
type TextOptions = { nowMs?: number; ofMoment?: boolean }

export function explanationText(
  told: Explanation,
  out: Pick<Output, 'paint'>,
  { nowMs = Date.now(), ofMoment = false }: TextOptions = {},
): string {
  const inChain = new Set(told.chain.map(({ id }) => id))
  const all = new Map([...told.history, ...told.chain].map((event) => [event.id, event]))
  const rows = [...all.values()]
    .sort((a, b) => a.id - b.id)
    .map(({ id, at, text }) => [
      inChain.has(id) ? '→' : ' ',
      out.paint('dim', timeText(Date.parse(at), nowMs)),
      harmless(text),
    ])
  const output = told.last_lines.map((line) => `  ${harmless(line)}`)
  const until = ofMoment && told.last_exit ? ` before ${timeText(Date.parse(told.last_exit.at), nowMs)}` : ''
  return [
    out.paint('bold', harmless(told.summary)),
    ...(rows.length > 0 ? ['', textTable(rows)] : []),
    ...(output.length > 0 ? ['', `its last output${until}:`, ...output] : []),
  ].join('\n')
}
