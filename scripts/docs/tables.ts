/** Tables for people, made from the tables in the code. Pure: text in, text out. */
import { VERBS } from '../../src/cli/program.ts'
import { SETTING_NAMES, SETTINGS } from '../../src/config/table.ts'
import { ERRORS } from '../../src/lib/errors.ts'
import { QUEUE_NAMES, QUEUES } from '../../src/settings.ts'

export function settingsTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { default: value, defaultDoc, doc } = SETTINGS[name]
    return [`\`${name}\``, value === null ? (defaultDoc ?? '-') : `\`${value}\``, doc]
  })
  return table(['name', 'default', 'meaning'], rows)
}

export function cliTable(): string {
  const rows = VERBS.map(({ usage, summary, options = [] }) => {
    const flags = options.map(([name, , how]) => (how === 'required' ? name : `[${name}]`))
    return [`\`${[usage, ...flags].join(' ')}\``, summary]
  })
  return table(['verb', 'does'], rows)
}

export function queueTable(): string {
  const rows = QUEUE_NAMES.map((name) => {
    const { serves, concurrency, nice } = QUEUES[name]
    return [`\`${name}\``, serves, String(concurrency), String(nice)]
  })
  return table(['queue', 'serves', 'at a time', 'nice of its programs'], rows)
}

export function errorTable(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, exit, title }]) => {
    return [`\`${code}\``, String(status), String(exit), title]
  })
  return table(['code', 'HTTP', 'exit', 'meaning'], rows)
}

/** Every setting, commented out, with its default. */
export function exampleEnv(): string {
  const head =
    '# Copy to .env or .env.local (which wins) and change what you need. Shell variables and flags win over both.\n'
  const entries = SETTING_NAMES.map((name) => {
    const { default: value, doc, secret } = SETTINGS[name]
    const file = secret ? ` (or ${name}_FILE=<path>)` : ''
    return `\n# ${doc.replaceAll('`', '')}${file}\n# ${name}=${quoted(value ?? '')}\n`
  })
  return head + entries.join('')
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`. Throws when a pair is missing. */
export function withTables(text: string, tables: Record<string, string>): string {
  return Object.entries(tables).reduce((result, [name, content]) => {
    const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
    const [start, end] = [result.indexOf(open), result.indexOf(close)]
    if (start === -1 || end < start) throw new Error(`${open} … ${close} is missing`)
    return `${result.slice(0, start + open.length)}\n${content}\n${result.slice(end)}`
  }, text)
}

function table(head: string[], rows: string[][]): string {
  const cell = (value: string) => value.replaceAll('|', '\\|')
  const line = (cells: string[]) => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

function quoted(value: string): string {
  return /\s/.test(value) ? `"${value}"` : value
}
