/** The verdict on a project finds what was lost, doubled or torn in doctored journals, and nothing in good ones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditProject, type Evidence, repeatsOf } from '../../src/chaos/audit.ts'
import { historyOf } from '../../src/chaos/history.ts'
import type { RecordBody } from '../../src/project/records.ts'
import { CREATED, claim, completed, failed, fold, queued } from '../helpers/records.ts'
import { effect, evidenceOf, journalOf, step } from './journals.ts'

/** Three stages, each of one step; the second was interrupted once, after its step. */
const GOOD: RecordBody[] = [
  CREATED,
  ...[queued('a', 1), claim('a', 1, 'f1'), step('a', 'f1', { name: 'a1' }), completed('a', 'f1')],
  ...[queued('b', 2), claim('b', 2, 'f2'), step('b', 'f2', { name: 'b1' }), claim('b', 2, ['f3', 'f2'])],
  completed('b', 'f3'),
  ...[queued('c', 3), claim('c', 3, 'f4'), step('c', 'f4', { name: 'c1' }), completed('c', 'f4')],
]
const EFFECTS = [effect('a', 'a1'), effect('b', 'b1'), effect('c', 'c1')]
const STEPS = { a: ['a1'], b: ['b1'], c: ['c1'] }

function audit(bodies: RecordBody[], changes: Partial<Evidence> = {}) {
  const expected = { ends: 'completed' as const, steps: STEPS }
  return auditProject({ ...evidenceOf(bodies), effects: EFFECTS, expected, mayTear: false, ...changes })
}

const kinds = (...args: Parameters<typeof audit>) => audit(...args).map(({ kind }) => kind)
const without = (test: (body: RecordBody) => boolean) => GOOD.filter((body) => !test(body))
const isStep = (name: string) => (body: RecordBody) => body.type === 'step' && body.name === name

test('a good journal with an interruption has no findings', () => {
  assert.deepEqual(audit(GOOD), [])
})

test('a project that did not end as it should is lost, and why is said', () => {
  const open = GOOD.slice(0, -1)
  assert.match(audit(open)[0]!.text, /it is running \(c is running\), and should be completed/)
  const broken = [...open, failed('c', 'f4', null)]
  assert.match(audit(broken)[0]!.text, /should be completed: stage_failed, no \(project p\)/)
  assert.deepEqual(kinds(broken, { expected: { ends: 'failed', steps: STEPS } }), [])
  assert.deepEqual(kinds(GOOD, { expected: { ends: 'failed', steps: STEPS } }), ['lost'])
})

test('a step that a completed stage lacks is lost, whoever knows of it', () => {
  const lacking = without(isStep('b1'))
  const unknown = { ends: 'completed' as const, steps: null }
  assert.deepEqual(audit(lacking), [{ kind: 'lost', text: 'step b1 of b is not remembered (project p)' }])
  assert.deepEqual(kinds(lacking, { effects: [], expected: unknown }), [], 'nobody knows of it')
  assert.deepEqual(kinds(lacking, { expected: unknown }), ['lost'], 'its effect tells')
  const forgetful = fold(lacking).state
  assert.deepEqual(kinds(GOOD, { state: forgetful, effects: [], expected: unknown }), ['lost'], 'the journal tells')
})

test('a stage that is committed twice is doubled: by one attempt, or by two', () => {
  const again = [...GOOD, completed('c', 'f4')]
  assert.deepEqual(audit(again), [{ kind: 'doubled', text: 'c was committed 2 times (project p)' }])
  const by = [...GOOD, claim('c', 3, ['f5', 'f4']), completed('c', 'f5')]
  assert.deepEqual(kinds(by), ['doubled'])
})

test('what a superseded attempt writes is refused, and nothing is doubled by it', () => {
  const zombie = GOOD.toSpliced(9, 0, completed('b', 'f2'), step('b', 'f2', { name: 'b1' }))
  assert.deepEqual(audit(zombie), [])
  assert.equal(evidenceOf(zombie).history.refused, 2)
})

test('a stage that was asked for anew may be done and committed again', () => {
  const rerun: RecordBody = { type: 'rerun', stage: 'c', and_following: false }
  const anew = [queued('c', 4), claim('c', 4, 'f5'), step('c', 'f5', { name: 'c1' }), completed('c', 'f5')]
  assert.deepEqual(kinds([...GOOD, rerun, ...anew], { effects: [] }), [])
})

test('a step that is remembered twice is doubled, unless what it depends on has changed', () => {
  const twice = (key: string) => GOOD.toSpliced(8, 0, step('b', 'f2', { name: 'b1', key }))
  assert.deepEqual(audit(twice('k')), [{ kind: 'doubled', text: 'step b1 of b was remembered twice (project p)' }])
  assert.deepEqual(audit(twice('other')), [])
})

test('the effect of a remembered step must not come again; that of an open one may, and is counted', () => {
  const late = [...EFFECTS, effect('b', 'b1', 2)]
  assert.deepEqual(kinds(GOOD, { effects: late }), ['doubled'], 'b1 was remembered in the first attempt')
  assert.deepEqual(kinds(GOOD, { effects: [...EFFECTS, effect('b', 'b1', 1)] }), ['doubled'], 'twice in one attempt')
  const open = GOOD.toSpliced(7, 2, claim('b', 2, ['f3', 'f2']), step('b', 'f3', { name: 'b1' }))
  assert.deepEqual(kinds(open, { effects: late }), [])
  assert.equal(repeatsOf(late), 1)
})

test('what happens outside of steps has to happen once', () => {
  assert.deepEqual(kinds(GOOD, { effects: [...EFFECTS, effect('a', null)] }), [])
  const found = audit(GOOD, { effects: [...EFFECTS, effect('b', null, 1), effect('b', null, 2)] })
  assert.deepEqual(found, [{ kind: 'doubled', text: 'what b does outside of its steps happened 2 times (project p)' }])
  const other = { ...effect('b', null), project: 'q' }
  assert.deepEqual(kinds(GOOD, { effects: [...EFFECTS, effect('b', null), other] }), [], 'another project is not ours')
})

test('torn lines are found, but where the disk was full they are the design', () => {
  const text = journalOf(GOOD)
  const history = historyOf(text.replace('"type":"claim"', '"type":"clai'))
  assert.equal(history.torn, 1)
  assert.ok(kinds(GOOD, { history }).includes('torn'))
  assert.ok(!kinds(GOOD, { history, mayTear: true }).includes('torn'))
})
