/** The gate before every commit: types, lint and format, dead code, layers. No other tests. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { styleText } from 'node:util'

type Step = { name: string; command: string; args: string[] }

const ROOT = join(import.meta.dirname, '..')
const TIMEOUT_MS = 300_000
const bin = (name: string) => join(ROOT, 'node_modules/.bin', name)

const STEPS: Step[] = [
  { name: 'types', command: bin('tsc'), args: ['--noEmit'] },
  {
    name: 'lint and format',
    command: bin('biome'),
    args: ['check', '--config-path=scripts/lint.json', '--error-on-warnings', '--max-diagnostics=200'],
  },
  { name: 'dead code', command: bin('knip'), args: ['--no-progress'] },
  { name: 'layers', command: process.execPath, args: ['--test', '--test-reporter=dot', 'test/architecture.test.ts'] },
]

let failed = 0
for (const step of STEPS) if (!(await passes(step))) failed += 1
process.exitCode = failed === 0 ? 0 : 1

/** Runs one step, with its output only when it failed. */
async function passes(step: Step): Promise<boolean> {
  const startedMs = performance.now()
  const { code, output } = await run(step)
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  const mark = code === 0 ? styleText('green', '✔') : styleText('red', '✖')
  console.log(`${mark} ${step.name.padEnd(16)} ${seconds.padStart(5)} s`)
  if (code !== 0) console.log(output.trimEnd())
  return code === 0
}

function run({ command, args }: Step): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    child.once('error', (error) => resolve({ code: 1, output: error.message }))
    child.once('close', (code) => resolve({ code, output }))
  })
}
