/** What a stage leaves running when it returns: its clock runs on for it, and its slot is kept. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { until } from '../../src/lib/until.ts'
import { perform, type Run, stageOf, start } from './attempt.ts'

const BUSY = Object.assign(new Error('busy'), { status: 503 })

/** Notes what the clock was set to, last one last. */
function createClock() {
  const set: (number | null)[] = []
  return { set, onClock: (limitS: number | null) => void set.push(limitS) }
}

test('a failed stage is written down while a deaf step of it runs on, for which the clock stays on and the job lasts', async (t) => {
  const project = await start(t)
  const deaf = Promise.withResolvers<void>()
  const clock = createClock()
  let programsEnded = 0
  const run: Run = ({ step }) =>
    Promise.all([step('deaf', () => deaf.promise), step('fails', () => Promise.reject(BUSY))])
  const endPrograms = () => void programsEnded++
  const running = perform(project, run, { onClock: clock.onClock, endPrograms })
  let isOver = false
  void running.then(() => {
    isOver = true
  })
  await until(() => stageOf(project).retry_at, { timeoutMs: 10_000 })
  for (let turn = 0; turn < 20; turn++) await setImmediate()
  assert.deepEqual([clock.set, isOver, programsEnded], [[90], false, 1])
  deaf.resolve()
  assert.equal((await running).kind, 'retry')
  assert.deepEqual(clock.set, [90, null])
})

test('a step that is deaf to the end costs its process at the hard limit, as its stage would', async (t) => {
  const project = await start(t)
  const run: Run = ({ step }) =>
    Promise.all([step('deaf', () => new Promise(() => {})), step('fails', () => Promise.reject(BUSY))])
  const outcome = await perform(project, run, { limits: { softS: 60, hardS: 2 } })
  assert.deepEqual([outcome.kind, stageOf(project).status], ['stuck', 'queued'])
})

test('a stage that returns has its clock off while that is written down, so that no slow disk ends its process', async (t) => {
  const project = await start(t)
  const clock = createClock()
  const { append } = project
  project.append = async (record) => {
    if (record.type === 'completed') assert.deepEqual(clock.set, [90, null])
    return append(record)
  }
  assert.equal((await perform(project, ({ step }) => step('s', () => 1), clock)).kind, 'completed')
})

test('steps that a stage did not wait for are told to end when it returns, and none begins any more', async (t) => {
  const project = await start(t)
  let reason: unknown
  let late: Promise<unknown> | undefined
  const outcome = await perform(project, ({ step, signal }) => {
    void step('left', async () => {
      await once(signal, 'abort')
      reason = signal.reason
      late = step('late', () => assert.fail('the stage has ended'))
    }).catch(() => {})
    return 'done'
  })
  assert.deepEqual([outcome.kind, reason, stageOf(project).result], ['completed', 'ended', 'done'])
  await assert.rejects(late!)
})
