/** The random soak is no accident: a seed says all of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../src/chaos/random.ts'
import { planSoak } from '../../src/chaos/soak-plan.ts'

const WISHES = { kills: 1_000, projects: 200, minutes: 10 }

test('the same seed gives the same plan, another one another', () => {
  assert.deepEqual(planSoak(WISHES, createRandom('42')), planSoak(WISHES, createRandom('42')))
  assert.notDeepEqual(planSoak(WISHES, createRandom('42')), planSoak(WISHES, createRandom('43')))
})

test('kills are spread over the whole time, hit every kind, and workers most', () => {
  const { kills } = planSoak(WISHES, createRandom('42'))
  const moments = kills.map(({ atMs }) => atMs)
  assert.deepEqual(
    moments,
    moments.toSorted((a, b) => a - b),
  )
  assert.ok(moments[0]! < 10_000 && moments.at(-1)! > 590_000 && moments.at(-1)! <= 600_000)
  const counts = Object.entries(Object.groupBy(kills, ({ kind }) => kind)).map(([kind, all]) => [kind, all.length])
  const { worker, redis, scheduler, supervisor } = Object.fromEntries(counts) as Record<string, number>
  assert.equal(worker! + redis! + scheduler! + supervisor!, 1_000)
  for (const other of [redis, scheduler, supervisor]) assert.ok(other! > 120 && other! < worker!)
})

test('projects are asked for while there is time to do them, and fit into it', () => {
  const { projectsAtMs, pace } = planSoak(WISHES, createRandom('42'))
  assert.equal(projectsAtMs.length, 200)
  assert.ok(projectsAtMs.at(-1)! <= 360_000)
  // Two text stages of so many steps each, in eight slots.
  const workMs = (200 * 2 * pace.steps * pace.paceMs) / 8
  assert.ok(workMs > 300_000 && workMs < 420_000, `${workMs} ms of work`)
  assert.equal(planSoak({ kills: 1, projects: 5_000, minutes: 0.1 }, createRandom('1')).pace.steps, 3)
})
