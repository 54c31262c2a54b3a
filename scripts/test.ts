/** Runs the test files: those of one unit two at a time, then the integration tests one by one. */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'

type Counts = { tests: number; passed: number; failed: number; skipped: number }
type Group = { name: string; files: string[]; concurrency: number; timeoutMs: number }

const USAGE = `Usage: npm test [-- <part of a path> …] [--name <pattern>] [--timeout <s>]`
const INTEGRATION = `test/integration/`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string', short: 't' },
    timeout: { type: 'string' },
    root: { type: 'string', default: join(import.meta.dirname, '..') },
    help: { type: 'boolean', short: 'h' },
  },
})

if (values.help) console.log(USAGE)
else process.exitCode = await main()

async function main(): Promise<number> {
  const startedMs = performance.now()
  const groups = findGroups()
  if (groups.length === 0) {
    console.error(`No test file matches ${positionals.join(' ')}`)
    return 2
  }
  const total: Counts = { tests: 0, passed: 0, failed: 0, skipped: 0 }
  let succeeded = true
  for (const group of groups) succeeded = (await runGroup(group, total)) && succeeded
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  const { tests, passed, failed, skipped } = total
  console.log(`\nTotal: ${tests} tests, ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds} s`)
  return succeeded ? 0 : 1
}

/** The limits are per file: a file that hangs fails, and the next one runs. */
function findGroups(): Group[] {
  const files = globSync('test/**/*.test.ts', { cwd: values.root }).sort()
  const wanted = files.filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part)))
  const isIntegration = (file: string) => file.startsWith(INTEGRATION)
  const limitMs = values.timeout === undefined ? undefined : Number(values.timeout) * 1000
  const groups = [
    {
      name: 'unit',
      files: wanted.filter((file) => !isIntegration(file)),
      concurrency: 2,
      timeoutMs: limitMs ?? 180_000,
    },
    { name: 'integration', files: wanted.filter(isIntegration), concurrency: 1, timeoutMs: limitMs ?? 600_000 },
  ]
  return groups.filter((group) => group.files.length > 0)
}

async function runGroup({ files, concurrency, timeoutMs }: Group, total: Counts): Promise<boolean> {
  const stream = run({
    files: files.map((file) => join(values.root, file)),
    cwd: values.root,
    concurrency,
    timeout: timeoutMs,
    testNamePatterns: values.name,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  let succeeded = false
  stream.on('test:summary', ({ file, counts, success }) => {
    if (file !== undefined) return // one file's part of the whole
    succeeded = success
    total.tests += counts.tests
    total.passed += counts.passed
    total.failed += counts.tests - counts.passed - counts.skipped - counts.todo
    total.skipped += counts.skipped
  })
  for await (const text of stream.compose(new spec())) process.stdout.write(text)
  return succeeded
}
