/** Runs the test files: some at a time, then those that measure or fill the machine one by one. */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { type FileResult, runTestFile } from './test/test-file.ts'

/** They hold answers, frames or memory to limits, or run many programs at a time themselves. */
const ALONE = ['chaos-matrix', 'live-slow', 'matrix-memory', 'video-many']

/** For two cores: units compute, while the real program mostly waits for something. */
const AT_ONCE = { units: 2, integration: 3 }

type Group = { files: string[]; concurrency: number; limitMs: number }

const USAGE = `Usage: npm test [-- <part of a path> …]
  -t, --name <pattern>   only tests whose name matches
  -v, --verbose          the output of every file, not only of those that fail
  --timeout <s>          the limit of each file`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string', short: 't' },
    verbose: { type: 'boolean', short: 'v' },
    timeout: { type: 'string' },
    root: { type: 'string', default: join(import.meta.dirname, '..') },
    help: { type: 'boolean', short: 'h' },
  },
})
const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort())

if (values.help) console.log(USAGE)
else process.exitCode = await main()

async function main(): Promise<number> {
  const startedMs = performance.now()
  const groups = findGroups()
  if (groups.length === 0) {
    console.error(`No test file matches ${positionals.join(' ')}`)
    return 2
  }
  const results: FileResult[] = []
  for (const group of groups) results.push(...(await runGroup(group)))
  const sum = (of: keyof FileResult['counts']) => results.reduce((total, { counts }) => total + counts[of], 0)
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  const failed = results.filter(({ ok }) => !ok)
  if (failed.length > 1) console.log(`\nFailed: ${failed.map(({ file }) => file).join(', ')}`)
  console.log(
    `\nTotal: ${sum('tests')} tests, ${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped, ${seconds} s`,
  )
  return interruption.signal.aborted ? 130 : failed.length === 0 ? 0 : 1
}

function findGroups(): Group[] {
  const files = globSync('test/**/*.test.ts', { cwd: values.root }).sort()
  const wanted = files.filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part)))
  const isAlone = (file: string) => ALONE.some((name) => file === `test/integration/${name}.test.ts`)
  const isIntegration = (file: string) => file.startsWith('test/integration/')
  const limitMs = values.timeout === undefined ? undefined : Number(values.timeout) * 1000
  const groups = [
    { files: wanted.filter((file) => !isIntegration(file)), concurrency: AT_ONCE.units, limitMs: limitMs ?? 600_000 },
    {
      files: wanted.filter((file) => isIntegration(file) && !isAlone(file)),
      concurrency: AT_ONCE.integration,
      limitMs: limitMs ?? 600_000,
    },
    { files: wanted.filter(isAlone), concurrency: 1, limitMs: limitMs ?? 600_000 },
  ]
  return groups.filter((group) => group.files.length > 0)
}

async function runGroup({ files, concurrency, limitMs }: Group): Promise<FileResult[]> {
  const waiting = [...files]
  const results: FileResult[] = []
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      if (interruption.signal.aborted) return
      const options = { cwd: values.root, limitMs, name: values.name, signal: interruption.signal }
      const result = await runTestFile(file, options)
      results.push(result)
      report(result)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return results
}

function report({ file, ok, counts, seconds, output }: FileResult): void {
  const mark = ok ? styleText('green', '✔') : styleText('red', '✖')
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
  console.log(`${mark} ${file}  ${counts.passed} of ${counts.tests}${skipped}  ${seconds.toFixed(1)} s`)
  if (!ok || values.verbose) console.log(output.trimEnd().replaceAll(/^/gm, '  '))
}
