/** The projects of a trial: they are waited for as long as they go on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLoad } from '../../src/chaos/load.ts'
import { begin, createProject, openStore } from '../helpers/projects.ts'

const EXPECTED = { status: 'completed' } as unknown as Parameters<ReturnType<typeof createLoad>['accept']>[1]

test('the wait ends when nothing is written for a while, and goes on while something is', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const load = createLoad(store.layout)
  load.accept(project.id, EXPECTED)
  const wait = { timeoutMs: 60_000, idleMs: 1_500, signal: t.signal } // a busy disk stalls for a part of that
  await assert.rejects(load.untilEnded(wait), { code: 'timeout', message: /Nothing was heard of 1 projects/ })
  const attempt = await begin(project, 'write')
  const startedMs = performance.now()
  let written = 0
  const writing = setInterval(() => void attempt.progress(++written, null).catch(() => {}), 100) // the last one may come after the end
  t.after(() => clearInterval(writing))
  const ended = load.untilEnded(wait)
  await load.untilRunning(() => performance.now() - startedMs > 4_000, wait) // longer than may be silent
  clearInterval(writing)
  await project.append({ type: 'cancelled' })
  await ended
})
