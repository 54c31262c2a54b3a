import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Folded } from '../../src/project/folded.ts'
import type { RecordBody } from '../../src/project/records.ts'
import { isOnItsWay } from '../../src/project/stage.ts'
import { CREATED, claim, completed, crashed, failed, fold, queued } from '../helpers/records.ts'

test('200 random histories: one fence and one stage at most, progress never 100 before the end, no status outside the contract', () => {
  for (let seed = 1; seed <= 200; seed++) checkHistory(seed)
})

function checkHistory(seed: number): void {
  const random = createRandom(seed)
  let folded = fold([CREATED])
  let n = 0
  for (let i = 0; i < 60; i++) {
    const stage = ['a', 'b', 'c'][Math.floor(random() * 3)]!
    const state = folded.state.stages.find((s) => s.name === stage)!
    const fence = random() < 0.7 ? (folded.internals[stage]!.fence ?? 'none') : `stray${i}`
    const task = Number(state.task_id?.split('-')[1] ?? 0)
    const options: RecordBody[] = [
      queued(stage, ++n),
      claim(stage, random() < 0.8 ? task : task + 1, [
        `f${i}`,
        random() < 0.8 ? folded.internals[stage]!.fence : 'stray',
      ]),
      completed(stage, fence),
      failed(stage, fence, random() < 0.5 ? '2026-01-01T00:00:00.000Z' : null),
      { type: 'released', stage, fence, reason: 'interrupted' },
      crashed(stage, fence, random() < 0.5),
      { type: 'progress', stage, fence, progress: 50, message: null },
      { type: 'cancelled' },
      { type: 'reopened' },
      { type: 'rerun', stage, and_following: random() < 0.5 },
      { type: 'demoted', stage, missing: [] },
    ]
    const before = folded
    const record = options[Math.floor(random() * options.length)]!
    folded = fold([record], folded)
    checkInvariants([before, folded], record, `seed ${seed}, record ${i}: ${record.type}`)
  }
}

const MAY_BE_SUSPECT = new Set(['queued', 'running', 'waiting'])

function checkInvariants([before, after]: [Folded, Folded], record: RecordBody, where: string): void {
  assert.equal(after.state.revision, before.state.revision + 1, where)
  assert.ok(after.state.stages.filter(isOnItsWay).length <= 1, `${where}: two stages are on their way`)
  for (const stage of after.state.stages) {
    const { fence, deaths, outlived, alone } = after.internals[stage.name]!
    if (stage.status === 'running') assert.ok(fence, `${where}: ${stage.name} runs without a claim`)
    if (deaths.length + outlived > 0) assert.ok(alone, `${where}: ${stage.name} is charged and not alone`)
    if (!MAY_BE_SUSPECT.has(stage.status)) assert.ok(!alone, `${where}: ${stage.name} is ${stage.status} and suspected`)
    const was = before.state.stages.find((s) => s.name === stage.name)!
    const isOwn = 'fence' in record && record.fence === before.internals[stage.name]!.fence
    if (stage.status === 'completed' && was.status !== 'completed')
      assert.ok(isOwn, `${where}: completed by a stranger`)
  }
  const done = after.state.stages.every((s) => s.status === 'completed')
  assert.equal(after.state.progress === 100, done, where)
  assert.equal(after.state.status === 'completed', done, where)
}

/** Mulberry32: small, seeded, good enough to shuffle with. */
function createRandom(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
