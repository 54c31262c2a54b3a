/** What a stage does to its worker's process from within: nobody but itself is the worse for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import type { Instance } from '../helpers/installation.ts'
import { readRecords } from '../helpers/journal.ts'
import { startProject } from '../helpers/started-project.ts'
import { untilHealthy, untilStatus, workerOf } from '../helpers/wait.ts'

test('a script of a stage that signals its whole group does not end the worker', async (t) => {
  const { layout, instance, id } = await startProject(t, { pipeline: 'crash', input: { crashes: 99, how: 'trap' } })
  const { stages } = await untilStatus({ layout, id }, 'completed')
  assert.equal(stages[0]?.attempts, 1)
  assert.deepEqual(instance.facts('child_exited'), [])
})

test('a stage whose script kills its worker, as somebody outside could, runs alone from the third time on', async (t) => {
  const plan = { pipeline: 'crash', held: ['boom-4'], input: { crashes: 3, how: 'killGroup' } }
  const { layout, gates, instance, id } = await startProject(t, plan)
  const crashes = () => readRecords(layout, id).filter((record) => record.type === 'crashed')
  assert.deepEqual(
    crashes().map(({ charged }) => charged),
    [false],
  )
  gates.release('boom-4')
  const { stages } = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual([stages[0]?.attempts, stages[0]?.retries, instance.facts('child_parked')], [4, 0, []])
  await untilHealthy(instance)
})

test('a stage whose messages look like its worker\u2019s does no harm: the program runs on, and knows what its worker does', async (t) => {
  const plan = { pipeline: 'crash', held: ['after'], input: { crashes: 1, how: 'babble' } }
  const { layout, gates, instance, id } = await startProject(t, plan)
  const active = async () => (await workerOf(instance, 'io-1')).active?.map(({ stage }) => stage)
  // It may still have to hear of what the worker has begun, and of all that the stage said.
  await until(async () => (await active())?.join() === 'boom', { timeoutMs: 10_000, what: 'the stage to be shown' })
  await untilBeat(instance, performance.now())
  assert.deepEqual(await active(), ['boom'])
  assert.equal((await instance.api.workers.list()).items.find(({ name }) => name === 'io-1')?.active.length, 1)
  gates.release('after')
  await untilStatus({ layout, id }, 'completed')
  await until(async () => (await active())?.length === 0, { timeoutMs: 20_000, what: 'the worker to be idle' })
  assert.deepEqual([instance.exited(), instance.facts('child_exited'), instance.facts('faulted')], [null, [], []])
  await untilHealthy(instance)
})

/** Until the worker was heard of since: its messages keep their order. */
async function untilBeat({ api }: Instance, sinceMs: number): Promise<void> {
  const isHeard = async () => {
    const beatAgeS = (await api.workers.list()).items.find(({ name }) => name === 'io-1')?.beat_age_s
    return typeof beatAgeS === 'number' && beatAgeS * 1_000 < performance.now() - sinceMs - 100
  }
  await until(isHeard, { timeoutMs: 15_000, everyMs: 20, what: 'a sign of life' })
}
