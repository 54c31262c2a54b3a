/** What ends a running stage from outside: its time limits, and a drain. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { perform, type Run, stageOf, start, untilAborted } from './attempt.ts'

test('at the soft limit the signal fires with that reason; the steps stay', async (t) => {
  const project = await start(t)
  let reason: unknown
  const outcome = await perform(
    project,
    async (context) => {
      await context.step('saved', () => 1)
      await untilAborted(context).catch((why) => {
        reason = why
        throw why
      })
    },
    { limits: { softS: 1, hardS: 60 } }, // until then the step is on the disk
  )
  assert.equal(reason, 'soft_time_limit')
  assert.equal(outcome.kind, 'failed')
  assert.equal(stageOf(project).error?.code, 'time_limit')
  assert.deepEqual(
    stageOf(project).steps.map((s) => s.name),
    ['saved'],
  )
})

test('a stage that never returns is given up after its hard limit', async (t) => {
  const project = await start(t)
  const hours = { softS: 0.001, hardS: -4.95 } // the hard limit lies 5 s before the moment of giving up
  const outcome = await perform(project, () => new Promise(() => {}), { limits: hours })
  assert.equal(outcome.kind, 'stuck')
  assert.equal(stageOf(project).error?.code, 'time_limit')
})

test('at the hard limit the stage loses its programs, and neither their end nor its own counts for a success', async (t) => {
  const project = await start(t)
  let killed = false
  const program = Promise.withResolvers<void>()
  const run: Run = async ({ step }) => {
    await step('quick', () => 1)
    const parallel = step('program', () => program.promise.then(() => 'it ended, so all is well'))
    await parallel.catch(() => {}) // a stage can be blind to every error
    return 'done'
  }
  const outcome = await perform(project, run, {
    limits: { softS: 1, hardS: 1.5 }, // until then the first step is on the disk
    endPrograms() {
      killed = true
      program.resolve()
    },
  })
  assert.equal(outcome.kind, 'failed')
  const { status, error, result, steps } = stageOf(project)
  assert.deepEqual([status, error?.code, result, killed], ['failed', 'time_limit', null, true])
  assert.deepEqual(
    steps.map((s) => s.name),
    ['quick'],
  )
})

test('a stage whose soft limit lies behind its hard one is told by the hard one', async (t) => {
  const project = await start(t)
  let reason: unknown
  const run: Run = async (context) => {
    await untilAborted(context).catch((why) => {
      reason = why
    })
  }
  const outcome = await perform(project, run, { limits: { softS: 60, hardS: 0.05 } })
  assert.deepEqual([outcome.kind, reason, stageOf(project).error?.code], ['failed', 'time_limit', 'time_limit'])
})

test('a cancelled stage that never returns costs its process as well, and its end stays cancelled', async (t) => {
  const project = await start(t)
  const begun = Promise.withResolvers<void>()
  const run: Run = () => {
    begun.resolve()
    return new Promise(() => {})
  }
  const running = perform(project, run, { limits: { softS: 0.001, hardS: -3 } }) // two seconds for the record
  await begun.promise
  await project.append({ type: 'cancelled' })
  assert.deepEqual(await running, { kind: 'stuck' })
  assert.equal(stageOf(project).status, 'cancelled')
})

test('a project that is cancelled and deleted under its running stage takes nothing else with it', async (t) => {
  const project = await start(t)
  const looks = new Set<() => void>()
  let reason: unknown
  const run: Run = async (context) => {
    await untilAborted(context).catch((why) => {
      reason = why
    })
    return 'too late'
  }
  const onNudge = (look: () => void) => {
    looks.add(look)
    return () => void looks.delete(look)
  }
  const running = perform(project, run, { onNudge })
  await until(() => looks.size > 0 && existsSync(project.paths.work), { timeoutMs: 10_000 })
  await rename(project.paths.folder, project.paths.deleted)
  for (const look of looks) look() // a rejection that nobody handles would end the process
  assert.deepEqual(await running, { kind: 'superseded' })
  assert.equal(reason, 'superseded')
  assert.equal(existsSync(project.paths.folder), false)
})

test('when only this process ends a stage is queued again as it stands, at its next step or when its signal fires', async (t) => {
  const project = await start(t)
  let reason: 'recycle' | null = null
  const drain = new AbortController()
  const request = { drain: { reason: () => reason, signal: drain.signal } }
  const run: Run = async ({ step }) => {
    await step('one', () => {
      reason = 'recycle'
    })
    await step('two', () => assert.fail('no new step begins'))
  }
  assert.deepEqual(await perform(project, run, request), { kind: 'released', reason: 'recycle' })
  const { status, reason: why, attempts, retries, waits, task_id, steps } = stageOf(project)
  assert.deepEqual([status, why, attempts, retries, waits, steps.length], ['queued', null, 1, 0, 0, 1])
  const running = perform(project, untilAborted, request)
  await until(() => stageOf(project).status === 'running', { timeoutMs: 10_000 })
  drain.abort()
  assert.deepEqual(await running, { kind: 'released', reason: 'recycle' })
  assert.deepEqual([stageOf(project).attempts, stageOf(project).task_id], [2, task_id])
})

test('while draining no new step begins, and near its end the signal fires', async (t) => {
  const project = await start(t)
  const begun: string[] = []
  const drained = await perform(project, async ({ step }) => step('s', () => begun.push('s')), {
    drain: { reason: () => 'stop', signal: new AbortController().signal },
  })
  assert.deepEqual(drained, { kind: 'released', reason: 'interrupted' })
  assert.deepEqual([stageOf(project).status, stageOf(project).reason, begun.length], ['waiting', 'interrupted', 0])
  const drain = new AbortController()
  const running = perform(project, untilAborted, { drain: { reason: () => 'stop', signal: drain.signal } })
  await until(() => stageOf(project).status === 'running', { timeoutMs: 10_000 })
  drain.abort()
  assert.deepEqual(await running, { kind: 'released', reason: 'interrupted' })
})
