/** The `showrunner` command: it finds its Node, or says in one sentence what is missing. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

const STUB = join(import.meta.dirname, '../../scripts/showrunner.mjs')
/** A Node that says it is older than it is. */
const OLD = `data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'20.19.0'}})`
let clone: string

before(() => {
  clone = mkdtempSync(join(tmpdir(), 'showrunner-stub-'))
  for (const folder of ['scripts', 'src']) mkdirSync(join(clone, folder))
  copyFileSync(STUB, join(clone, 'scripts/showrunner.mjs'))
  writeFileSync(
    join(clone, 'src/cli.ts'),
    'console.log("cli", process.argv.slice(2).join(" "))\nprocess.exitCode = 69\n',
  )
  writeFileSync(
    join(clone, 'src/main.ts'),
    'console.log("main", process.argv.slice(2).join(" "))\nprocess.kill(process.pid, "SIGTERM")\nsetInterval(() => {}, 1000)\n',
  )
})
after(() => rmSync(clone, { recursive: true }))

function run(nodeArgs: string[], ...args: string[]) {
  const argv = [...nodeArgs, join(clone, 'scripts/showrunner.mjs'), ...args]
  return spawnSync(process.execPath, argv, { cwd: tmpdir(), encoding: 'utf8', timeout: 30_000 })
}

test('verbs go to the command line, from any folder, and their exit code comes back', () => {
  const { status, stdout } = run([], 'status', '--json')
  assert.deepEqual([status, stdout], [69, 'cli status --json\n'])
})

test('start goes to the server, and its end by a signal is passed on', () => {
  const { status, stdout } = run([], 'start', '--port', '0')
  assert.deepEqual([status, stdout], [143, 'main --port 0\n'])
})

test('an old Node uses the one that came with the packages', () => {
  const folder = join(clone, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin')
  mkdirSync(folder, { recursive: true })
  copyFileSync(process.execPath, join(folder, 'node'))
  assert.equal(run(['--import', OLD], 'status').stdout, 'cli status\n')
  rmSync(join(clone, 'node_modules'), { recursive: true })
})

test('an old Node with none beside it says what to do', () => {
  const { status, stdout, stderr } = run(['--import', OLD], 'status')
  assert.deepEqual([status, stdout], [69, ''])
  assert.match(stderr, /needs Node 24\.9 or newer; this is 20\.19\.0.*\nSet it up with: sh scripts\/setup\.sh/)
})
