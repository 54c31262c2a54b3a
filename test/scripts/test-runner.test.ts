/** The runner of the tests: what fails, hangs or does not exist ends with a code that says so. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

const RUNNER = join(import.meta.dirname, '../../scripts/test.ts')
let root: string

before(() => {
  root = mkdtempSync(join(tmpdir(), 'showrunner-runner-'))
  mkdirSync(join(root, 'test/integration'), { recursive: true })
  const write = (name: string, body: string) => writeFileSync(join(root, 'test', `${name}.test.ts`), body)
  const head = "import { test } from 'node:test'\n"
  write('good', `${head}test('one', () => {})\ntest('two', { skip: true }, () => {})\n`)
  write('bad', `${head}test('wrong', () => { throw new Error('on purpose') })\n`)
  write('hangs', `${head}test('never', () => new Promise(() => setInterval(() => {}, 1000)))\n`)
  write('integration/whole', `${head}test('whole', () => {})\n`)
})
after(() => rmSync(root, { recursive: true }))

/** NODE_TEST_CONTEXT would make the inner runner report to the outer one. */
function runTests(...args: string[]) {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
  const { status, stdout, stderr } = spawnSync(process.execPath, [RUNNER, '--root', root, ...args], {
    env,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

test('both groups run, and the total counts them', () => {
  const { status, stdout } = runTests('good', 'whole')
  assert.match(stdout, /Total: 3 tests, 2 passed, 0 failed, 1 skipped, [\d.]+ s/)
  assert.equal(status, 0)
})

test('a failure fails the run, and the other group still runs', () => {
  const { status, stdout } = runTests('bad', 'whole')
  assert.match(stdout, /on purpose/)
  assert.match(stdout, /Total: 2 tests, 1 passed, 1 failed/)
  assert.equal(status, 1)
})

test('a file that hangs fails at its limit, and the others run', () => {
  const { status, stdout } = runTests('hangs', 'good', '--timeout', '2')
  assert.match(stdout, /hangs\.test\.ts did not end within 2 s, and was killed/)
  assert.match(stdout, /Total: 3 tests, 1 passed, 1 failed, 1 skipped/)
  assert.equal(status, 1)
})

test('a part of a path that no file has is an error', () => {
  const { status, stderr } = runTests('no-such-file')
  assert.match(stderr, /No test file matches no-such-file/)
  assert.equal(status, 2)
})
