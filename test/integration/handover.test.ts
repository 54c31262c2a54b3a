/** A worker that is replaced hands its stages over: at once, in front, from their last step, with nothing spent or lost. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { type ProjectLayout, projectLayout } from '../../src/project/layout.ts'
import { decodeRecord, type JournalRecord } from '../../src/project/records.ts'
import { CHAPTERS } from '../fixtures/pipelines/chapters.ts'
import { assertUntouched, childrenOf, pidOf } from '../helpers/children.ts'
import { createGates } from '../helpers/gates.ts'
import type { Instance } from '../helpers/installation.ts'
import { assertVisits, startProject } from '../helpers/started-project.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { assertTold, startAllKinds } from '../helpers/viewers.ts'
import { untilHealthy, untilState, untilStatus } from '../helpers/wait.ts'

/** With the successor ready, nothing but two records and a trip through Redis lies between. */
const HANDOVER_MS = 500
/** For a busy machine; what was lost is found only by the scheduler, which looks every 3 s. */
const MOST_LAG_MS = 2_000

test('a stage in mid-step ends that step, and goes on in the new process at once', async (t) => {
  const { layout, gates, instance, id, paths } = await startProject(t, { held: ['write-2'] })
  const before = await childrenOf(instance)
  const old = await replace(instance, 'io-1')
  const watch = startWatch()
  gates.release('write-2')
  const { stages } = await untilStatus({ layout, id }, 'completed')
  const lagMs = Math.min(MOST_LAG_MS, watch.lagMs())
  assert.deepEqual(
    stages.map((s) => [s.attempts, s.retries, s.waits]),
    [
      [2, 0, 0],
      [1, 0, 0],
      [1, 0, 0],
    ],
  )
  assertVisits(gates)
  const ms = handoversOf(paths)
  t.diagnostic(`handed over in ${ms} ms`)
  assert.ok(ms.length === 1 && ms[0]! < HANDOVER_MS + lagMs, `it took ${ms} ms; the machine was busy for ${lagMs}`)
  await assertLeftQuietly(instance, old)
  await untilHealthy(instance)
  await assertUntouched(instance, before, ['io-1'])
})

test('viewers see the told text again and the rest of it, and never that anything was interrupted', async (t) => {
  const { layout, gates, instance, id } = await startProject(t, { pipeline: 'chapters', held: ['chapter-1'] })
  const viewers = startAllKinds(t, { url: instance.url, id })
  await until(() => viewers.every((viewer) => viewer.texts.get('tell') === CHAPTERS[0]), { timeoutMs: 30_000 })
  await replace(instance, 'io-1')
  gates.release('chapter-1')
  await untilStatus({ layout, id }, 'completed')
  await assertTold(viewers, 'tell', CHAPTERS.join(''))
  for (const { name, said } of viewers) {
    const told = said.join(', ')
    assert.ok(!/waiting|interrupted|failed|error/.test(told), `${name} was told: ${told}`)
    assert.equal(said.filter((what) => what === 'stage_update restarted').length, 1, `${name} was told: ${told}`)
  }
  assert.deepEqual([gates.visits('chapter-0'), gates.visits('chapter-1'), gates.visits('chapter-2')], [1, 1, 1])
})

test('a stage without steps ends in the old process while the new one serves everybody else', async (t) => {
  const { layout, gates, instance, id } = await startProject(t, { pipeline: 'chapters', held: ['breath-1'] })
  const old = await replace(instance, 'io-1')
  const other = await instance.api.projects.create({ pipeline: 'steps', input: { folder: createGates(t).folder } })
  await untilStatus({ layout, id: other.id }, 'completed')
  gates.release('breath-1')
  const { stages } = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual(
    stages.map((s) => [s.attempts, s.text]),
    Array(2).fill([1, CHAPTERS.join('')]),
  )
  await assertLeftQuietly(instance, old)
})

test('what is handed over goes before what has waited behind it', async (t) => {
  const { layout, gates, instance, id, paths } = await startProject(t, { held: ['film-2'] })
  const second = await instance.api.projects.create({ pipeline: 'steps', input: { folder: createGates(t).folder } })
  await until(async () => (await instance.api.status()).data.queues.video?.waiting === 1, { timeoutMs: 20_000 })
  await replace(instance, 'media-1')
  gates.release('film-2')
  await Promise.all([id, second.id].map((one) => untilStatus({ layout, id: one }, 'completed')))
  const [mine, theirs] = [paths, projectLayout(layout, second.id)].map((place) => claimsOf(place, 'film'))
  assert.deepEqual([mine!.length, theirs!.length], [2, 1])
  assert.ok(mine![1]! < theirs![0]!, 'the film that had begun went on before the other one began')
})

test('replaced again and again in mid-work: no try is spent, no step is done twice', async (t) => {
  const { layout, gates, instance, id } = await startProject(t, { held: ['write-1', 'film-2', 'check-2', 'check-3'] })
  const others = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const folder = createGates(t)
      return {
        folder,
        ...(await instance.api.projects.create({ pipeline: 'steps', input: { folder: folder.folder } })),
      }
    }),
  )
  for (const [gate, worker] of [
    ['write-1', 'io-1'],
    ['film-2', 'media-1'],
    ['check-2', 'io-1'],
    ['check-3', 'io-1'],
  ] as const) {
    await gates.reached(gate)
    const old = await replace(instance, worker)
    gates.release(gate)
    await untilExit(instance, old) // until it is heard of, a slot is not replaced again
  }
  const ends = [{ id, folder: gates }, ...others]
  for (const { id: one, folder } of ends) {
    const { stages } = await untilStatus({ layout, id: one }, 'completed')
    assert.deepEqual(
      stages.map((s) => [s.retries, s.waits]),
      Array(3).fill([0, 0]),
    )
    assertVisits(folder)
  }
})

test('a stop in the middle of it: all is over as quickly as ever, and the next start goes on', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { held: ['write-2'] })
  await replace(instance, 'io-1')
  const watch = startWatch()
  instance.signal('SIGTERM')
  await until(() => instance.facts('stopping').length > 0, { timeoutMs: 15_000, everyMs: 10 })
  gates.release('write-2')
  assert.deepEqual(await instance.ended(15_000), { code: 0, signal: null })
  watch.assertBelow(3_000)
  await installation.start()
  const { stages } = await untilState({ layout, id }, (s) => s.status === 'completed')
  assert.deepEqual(
    stages.map((s) => s.retries),
    [0, 0, 0],
  )
  assertVisits(gates)
})

/** Gives the pid of the process that is on its way out, once its successor serves. */
async function replace(instance: Instance, name: string): Promise<number> {
  const pid = await pidOf(instance, name)
  const count = () => instance.facts('child_replaced').filter((fact) => fact.name === name).length
  const before = count()
  await instance.api.workers.restart(name)
  await until(() => count() > before, { timeoutMs: 30_000, everyMs: 10, what: `a new ${name}` })
  return pid
}

function untilExit(instance: Instance, pid: number) {
  const exit = () => instance.facts('child_exited').find((fact) => fact.pid === pid)
  return until(exit, { timeoutMs: 20_000, everyMs: 10, what: `the exit of ${pid} to be told` })
}

async function assertLeftQuietly(instance: Instance, pid: number): Promise<void> {
  const { code, wanted } = await untilExit(instance, pid)
  assert.deepEqual([code, wanted], [0, false])
  assert.deepEqual([...instance.facts('child_hung'), ...instance.facts('child_restart_planned')], [])
}

/** Milliseconds from each release for recycling to the claim that followed. */
function handoversOf(paths: ProjectLayout): number[] {
  const records = recordsOf(paths)
  return records.flatMap((record, i) => {
    if (record.type !== 'released' || record.reason !== 'recycle') return []
    const next = records.slice(i).find((r) => r.type === 'claim' && r.stage === record.stage)
    return [next ? Date.parse(next.at) - Date.parse(record.at) : Number.POSITIVE_INFINITY]
  })
}

function claimsOf(paths: ProjectLayout, stage: string): number[] {
  return recordsOf(paths).flatMap((r) => (r.type === 'claim' && r.stage === stage ? [Date.parse(r.at)] : []))
}

function recordsOf({ journal }: ProjectLayout): JournalRecord[] {
  return readFileSync(journal, 'utf8')
    .split('\n')
    .flatMap((line) => decodeRecord(line) ?? [])
}
