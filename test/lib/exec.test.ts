/** A program is run to its end: what it leaves behind keeps nobody waiting, and a deadline is kept. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exec } from '../../src/lib/exec.ts'
import { killQuietly } from '../helpers/children.ts'
import { isGone, untilGone } from '../helpers/processes.ts'

/** Both hold the pipe for far longer than a test may take. */
const OWN_GROUP = 'sleep 600 & echo $!; exit 0'
const STRANGER = 'setsid sleep 600 & until grep -qx sleep /proc/$!/comm; do :; done; echo $!'
const SOON = { timeout: 30_000 }

test('what a program leaves in its group ends with it', SOON, async () => {
  const { stdout } = await exec('sh', ['-c', OWN_GROUP])
  await untilGone([Number(stdout)])
})

test('a stranger that holds the pipe is let alone, and all that the program said is there', SOON, async (t) => {
  const { stdout, stderr } = await exec('sh', ['-c', `echo why >&2; ${STRANGER}`])
  t.after(() => killQuietly(Number(stdout)))
  assert.equal(stderr, 'why\n')
  assert.ok(!isGone(Number(stdout)))
})

test('a failure tells its last words also when a stranger holds the pipe', SOON, async (t) => {
  const lines: string[] = []
  const run = exec('sh', ['-c', `${STRANGER}; echo broken >&2; exit 3`], { onLine: (line) => lines.push(line) })
  await assert.rejects(run, { code: 'program_failed', message: 'sh exited with code 3: broken' })
  t.after(() => killQuietly(Number(lines[0])))
  assert.ok(!isGone(Number(lines[0])))
})

for (const [what, limit, error] of [
  ['deadline', () => ({ timeoutMs: 700 }), { code: 'timeout' }],
  ['abort', () => ({ signal: AbortSignal.timeout(700) }), { name: 'TimeoutError' }],
] as const)
  test(`the ${what} is kept while a stranger holds the pipe of a program that has ended`, SOON, async (t) => {
    const lines: string[] = []
    const run = exec('sh', ['-c', STRANGER], { ...limit(), onLine: (line) => lines.push(line) })
    t.after(() => {
      for (const line of lines) killQuietly(Number(line))
    })
    await assert.rejects(run, error)
  })

test('a program that ignores TERM is killed a while after its deadline', SOON, async () => {
  const lines: string[] = []
  const script = 'trap "" TERM; echo $$; while :; do sleep 600; done'
  const run = exec('sh', ['-c', script], {
    timeoutMs: 300,
    killAfterMs: 100,
    onLine: (line) => lines.push(line),
  })
  await assert.rejects(run, { code: 'timeout' })
  await untilGone([Number(lines[0])])
})

test('one that is not installed says so', async () => {
  await assert.rejects(exec('no-such-program', []), { code: 'missing_program' })
})
