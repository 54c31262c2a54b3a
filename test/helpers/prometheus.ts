/** A strict reader of Prometheus' text format 0.0.4: what it takes, every scraper takes. Throws at the first breach. */

export type Series = { name: string; labels: Record<string, string>; value: number }
export type MetricFamily = { name: string; type: string; help: string; series: Series[] }

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*/
const NUMBER = /^(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|[+-]Inf)$/
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped'])

export function parseMetrics(text: string): Map<string, MetricFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, MetricFamily>()
  const seen = new Set<string>()
  let open: MetricFamily | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue
    if (line.startsWith('# HELP ')) open = beginFamily(line, families)
    else if (line.startsWith('# TYPE ')) takeType(line, open)
    else if (line.startsWith('#')) continue
    else takeSeries(line, open, seen)
  }
  for (const { name, type, series } of families.values()) {
    if (type === '') throw new Error(`${name} has no TYPE`)
    if (series.length === 0) throw new Error(`${name} has no value`)
  }
  return families
}

function beginFamily(line: string, families: Map<string, MetricFamily>): MetricFamily {
  const [, name = '', help = ''] = /^# HELP (\S+) (.*)$/.exec(line) ?? []
  if (NAME.exec(name)?.[0] !== name) throw new Error(`no name: ${line}`)
  if (help.trim() === '') throw new Error(`no help: ${line}`)
  if (/\\(?![\\n])/.test(help)) throw new Error(`a bad escape: ${line}`)
  if (families.has(name)) throw new Error(`${name} comes twice`)
  const family = { name, type: '', help, series: [] }
  families.set(name, family)
  return family
}

function takeType(line: string, open: MetricFamily | undefined): void {
  const [, name = '', type = ''] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
  if (open?.name !== name) throw new Error(`TYPE without its HELP before it: ${line}`)
  if (open.type !== '' || open.series.length > 0) throw new Error(`TYPE comes twice or late: ${line}`)
  if (!TYPES.has(type)) throw new Error(`no type: ${line}`)
  open.type = type
}

function takeSeries(line: string, open: MetricFamily | undefined, seen: Set<string>): void {
  const name = NAME.exec(line)?.[0] ?? ''
  if (open?.name !== name) throw new Error(`a value outside of its family: ${line}`)
  const { labels, rest } =
    line[name.length] === '{' ? parseLabels(line, name.length + 1) : { labels: {}, rest: line.slice(name.length) }
  const [, text = ''] = /^ (\S+)$/.exec(rest) ?? []
  if (!NUMBER.test(text)) throw new Error(`no number: ${line}`)
  const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`
  if (seen.has(key)) throw new Error(`a series comes twice: ${line}`)
  seen.add(key)
  open.series.push({ name, labels, value: Number(text.replace('Inf', 'Infinity')) })
}

/** From behind the opening brace. */
function parseLabels(line: string, from: number): { labels: Record<string, string>; rest: string } {
  const labels: Record<string, string> = {}
  let at = from
  while (line[at] !== '}') {
    const name = LABEL.exec(line.slice(at))?.[0]
    if (!name) throw new Error(`no label at ${at}: ${line}`)
    if (name in labels) throw new Error(`a label comes twice: ${line}`)
    const value = /^="((?:[^"\\\n]|\\[\\"n])*)"/.exec(line.slice(at + name.length))
    if (!value) throw new Error(`no value of ${name}: ${line}`)
    labels[name] = value[1]!.replace(/\\([\\"n])/g, (_, c: string) => (c === 'n' ? '\n' : c))
    at += name.length + value[0].length
    if (line[at] === ',') at++
    else if (line[at] !== '}') throw new Error(`no end of ${name}: ${line}`)
  }
  return { labels, rest: line.slice(at + 1) }
}

/** What the naming conventions of Prometheus ask for, and ours: everything that speaks against this family. */
export function namingFaults({ name, type, series }: MetricFamily): string[] {
  const labels = new Set(series.flatMap((one) => Object.keys(one.labels)))
  const faults = [
    !name.startsWith('showrunner_') && 'has no prefix',
    !/^[a-z0-9_]+$/.test(name) && 'is not in snake case',
    (type === 'counter') !== name.endsWith('_total') && `is a ${type} and ends as it does`,
    /_(ms|milliseconds|minutes|hours|days|kb|mb|kilobytes|megabytes|percent)(_|$)/.test(name) && 'has no base unit',
    /(gauge|counter|metric)/.test(name) && 'says its type in its name',
    [...labels].some((label) => !/^[a-z][a-z0-9_]*$/.test(label)) && 'has a label that is not in snake case',
    new Set(series.map((one) => Object.keys(one.labels).sort().join())).size > 1 && 'has series with other labels',
    series.some((one) => Object.values(one.labels).includes('')) && 'has an empty label',
  ]
  return faults.flatMap((fault) => (fault === false ? [] : [`${name} ${fault}`]))
}
