import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { AppError } from '../../src/lib/errors.ts'
import { until } from '../../src/lib/until.ts'
import { recordedStage } from '../helpers/live.ts'
import { ALIVE, begin } from '../helpers/projects.ts'
import { perform, type Run, stageOf, start, untilAborted } from './attempt.ts'

test('a generator streams, counts and returns; a plain function does too', async (t) => {
  const project = await start(t, { text: 'hi' })
  const live = recordedStage()
  const outcome = await perform(
    project,
    async function* ({ input, attempt }) {
      yield 'a token'
      yield { current: 1, total: 4, item_name: 'x' }
      return { text: input.text.toUpperCase(), attempt }
    },
    { live },
  )
  assert.deepEqual(outcome, { kind: 'completed' })
  assert.deepEqual(stageOf(project).result, { text: 'HI', attempt: 1 })
  assert.equal(stageOf(project).text, 'a token')
  assert.deepEqual(live.said, ['a token', { current: 1, total: 4, item_name: 'x', progress: 25 }])
  assert.equal(existsSync(project.paths.work) ? readdirSync(project.paths.work).length : 0, 0)
})

test('steps run once over all attempts, their files too; a name used twice throws', async (t) => {
  const project = await start(t)
  const runs: string[] = []
  const run: Run = async ({ step, artifacts, attempt }) => {
    await Promise.all(
      [1, 2].map((n) =>
        step(`s${n}`, async () => {
          runs.push(`s${n}`)
          await artifacts.put(`f${n}.txt`, { data: `${n}` }, 'text/plain')
          return n
        }),
      ),
    )
    if (attempt === 1) throw Object.assign(new Error('busy'), { status: 503 })
    return step('s3', () => runs.push('s3'))
  }
  assert.equal((await perform(project, run)).kind, 'retry')
  assert.deepEqual(
    stageOf(project)
      .steps.map((s) => [s.name, s.files])
      .sort(),
    [
      ['s1', ['f1.txt']],
      ['s2', ['f2.txt']],
    ],
  )
  assert.equal((await perform(project, run)).kind, 'completed')
  assert.deepEqual(runs, ['s1', 's2', 's3'])
  assert.deepEqual([stageOf(project).attempts, stageOf(project).retries], [2, 1])
  const twice = await start(t)
  const outcome = await perform(twice, async ({ step }) => {
    await step('same', () => 1)
    await step('same', () => 2)
  })
  assert.match(outcome.kind === 'failed' ? outcome.error.message : '', /"same" was used twice/)
})

test('a rerun and a new version of the stage forget the steps', async (t) => {
  const project = await start(t)
  let runs = 0
  const run: Run = async ({ step }) => {
    await step('s', () => ++runs)
    throw Object.assign(new Error('busy'), { status: 503 })
  }
  await perform(project, run)
  await perform(project, run)
  assert.equal(runs, 1)
  await perform(project, run, { stage: { name: 'write', queue: 'llm', version: 2, run } })
  assert.equal(runs, 2)
  await project.append({ type: 'cancelled' })
  await project.append({ type: 'rerun', stage: 'write', and_following: false })
  await perform(project, run)
  assert.equal(runs, 3)
})

test('an error that time can heal is retried after 2, 5 and 10 s, then the stage fails', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() }) // a slow disk is no part of the wait
  const project = await start(t)
  const waits: number[] = []
  for (let i = 0; i < 4; i++) {
    const outcome = await perform(project, () => Promise.reject(Object.assign(new Error('busy'), { status: 503 })))
    if (outcome.kind !== 'retry') assert.equal(outcome.kind, 'failed')
    else waits.push((Date.parse(outcome.dueAt) - Date.now()) / 1_000)
  }
  assert.deepEqual(waits, [2, 5, 10])
  assert.deepEqual([stageOf(project).status, stageOf(project).retries, stageOf(project).attempts], ['failed', 3, 4])
  assert.equal(project.read().state.error?.message, 'busy')
})

test('a bug is not retried', async (t) => {
  const project = await start(t)
  const outcome = await perform(project, () => {
    throw new TypeError('x is not a function')
  })
  assert.equal(outcome.kind, 'failed')
  assert.equal(stageOf(project).error?.code, 'stage_failed')
})

test('cancel and takeover reach the stage by its claim; what it still writes does not count', async (t) => {
  for (const how of ['cancelled', 'superseded'] as const) {
    const project = await start(t)
    const listeners = new Set<() => void>()
    let reason: unknown
    const run: Run = async (context) => {
      await untilAborted(context).catch((why) => {
        reason = why
      })
      return 'too late'
    }
    const onNudge = (listener: () => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    }
    const running = perform(project, run, { onNudge })
    await until(() => listeners.size > 0, { timeoutMs: 10_000 })
    if (how === 'cancelled') await project.append({ type: 'cancelled' })
    else await begin(project, 'write', { ...ALIVE, token: 'other' })
    for (const look of listeners) look()
    assert.deepEqual(await running, { kind: 'superseded' })
    assert.equal(reason, how)
    assert.equal(stageOf(project).result, null)
    assert.equal(listeners.size, 0)
  }
})

test('a full disk makes the stage wait, whatever the stage made of the error', async (t) => {
  const project = await start(t)
  const outcome = await perform(project, () => {
    throw new Error('ffmpeg failed', { cause: Object.assign(new Error('no space'), { code: 'ENOSPC' }) })
  })
  assert.deepEqual(outcome, { kind: 'released', reason: 'disk' })
  assert.deepEqual([stageOf(project).status, project.read().state.reason], ['waiting', 'disk'])
})

test('when one of parallel steps fails the others are told to end before the stage is over', async (t) => {
  const project = await start(t)
  let ended = false
  const outcome = await perform(project, ({ step, signal }) =>
    Promise.all([
      step('fails', () => Promise.reject(new AppError('program_failed', 'no'))),
      step('runs', async () => {
        if (!signal.aborted) await once(signal, 'abort')
        ended = true
      }),
    ]),
  )
  assert.equal(outcome.kind, 'failed')
  assert.equal(ended, true)
})

test('text that is emitted in steps is there after a crash as well, once, also of steps at once and within one another', async (t) => {
  const project = await start(t)
  const long = 'x'.repeat(20_000)
  const first = Promise.withResolvers<void>()
  const run: Run = async function* ({ step, emit, attempt }) {
    yield 'Title. '
    await Promise.all([
      step('one', async () => {
        emit('One ')
        await first.promise
        emit('ends. ')
        return 1
      }),
      step('two', () => {
        emit('Two. ')
        first.resolve()
      }),
    ])
    await step('outer', async () => {
      await step('inner', () => emit('Inner. '))
      emit(long)
    })
    if (attempt === 1) throw Object.assign(new Error('busy'), { status: 503 })
    return step('three', () => emit('Three.'))
  }
  assert.equal((await perform(project, run)).kind, 'retry')
  const live = recordedStage()
  assert.equal((await perform(project, run, { live })).kind, 'completed')
  const said = live.said as string[]
  assert.deepEqual(said.toSorted(), ['Title. ', 'One ends. ', 'Two. ', `Inner. ${long}`, 'Three.'].toSorted())
  const { steps, text } = stageOf(project)
  assert.ok('artifact' in steps.find(({ name }) => name === 'outer')!.result, 'a long one lies beside the state')
  assert.equal(text ?? said.join(''), said.join(''))
})
