/** The lock on a data folder: one holder among many processes, free at once when it is killed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { acquireLock } from '../../src/lib/lock.ts'

const HOLDER = fileURLToPath(new URL('../fixtures/children/lock-holder.ts', import.meta.url))

test('of 20 processes that try at once exactly one wins, again and again', async (t) => {
  const path = await lockPath(t)
  for (let round = 0; round < 2; round++) {
    const tries = await Promise.all(Array.from({ length: 20 }, () => tryInProcess(t, path)))
    assert.equal(tries.filter(({ answer }) => answer === 'won').length, 1)
    for (const { end } of tries) await end()
  }
})

test('a killed holder leaves it free', async (t) => {
  const path = await lockPath(t)
  const holder = await tryInProcess(t, path)
  assert.equal(holder.answer, 'won')
  assert.equal(await acquireLock(path), undefined)
  await holder.end()
  using lock = await acquireLock(path)
  assert.ok(lock)
})

test('one process cannot take it twice, and a released one can be taken again', async (t) => {
  const path = await lockPath(t)
  const first = await acquireLock(path)
  assert.ok(first)
  assert.equal(await acquireLock(path), undefined)
  first.release()
  first.release()
  using again = await acquireLock(path)
  assert.ok(again)
})

test('somebody who only looks for a moment does not make it fail', async (t) => {
  const path = await lockPath(t)
  const looker = new DatabaseSync(path)
  looker.exec('BEGIN; SELECT count(*) FROM sqlite_master') // holds a shared lock, as a rival does for an instant
  setTimeout(() => looker.close(), 50)
  using lock = await acquireLock(path)
  assert.ok(lock)
})

test('a folder that is not there is an error, not a lost race', async (t) => {
  await assert.rejects(acquireLock(join(await lockPath(t), 'missing', 'lock.db')), { code: 'ERR_SQLITE_ERROR' })
})

async function lockPath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lock-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'lock.db')
}

async function tryInProcess(t: TestContext, path: string): Promise<{ answer: string; end(): Promise<void> }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', HOLDER, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  t.after(() => void child.kill('SIGKILL'))
  const [text] = (await once(child.stdout!, 'data', { signal: AbortSignal.timeout(120_000) })) as [Buffer]
  return {
    answer: text.toString().trim(),
    async end() {
      child.kill('SIGKILL')
      await exit
    },
  }
}
