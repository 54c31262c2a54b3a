import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLedger } from '../../src/project/ledger.ts'
import type { Project } from '../../src/project/store.ts'
import { ALIVE, begin, createProject, openStore } from '../helpers/projects.ts'

const ABOUT = { provider: 'openai', model: 'm' }

/** The ledger of a new attempt, as after a crash of the one before. */
async function nextLedger(project: Project) {
  return createLedger(await begin(project, 'write', { ...ALIVE, token: Math.random().toString() }))
}

test('an answer that is on disk is never paid for again', async (t) => {
  const project = await createProject(await openStore(t))
  const ledger = await nextLedger(project)
  assert.equal(await ledger.before('key', ABOUT), null)
  await ledger.after('key', 'the raw answer')
  const later = await nextLedger(project)
  assert.deepEqual(await later.before('key', ABOUT), { raw: 'the raw answer' })
  assert.equal(await later.before('other', ABOUT), null)
})

test('a call that was cut off is repeated once, then a person has to decide', async (t) => {
  const project = await createProject(await openStore(t))
  assert.equal(await (await nextLedger(project)).before('key', ABOUT), null)
  assert.equal(await (await nextLedger(project)).before('key', ABOUT), null)
  await assert.rejects((await nextLedger(project)).before('key', ABOUT), { code: 'ambiguous_call' })
})

test('a call that the provider refused cost nothing and counts for nothing', async (t) => {
  const project = await createProject(await openStore(t))
  for (let i = 0; i < 4; i++) {
    const ledger = await nextLedger(project)
    assert.equal(await ledger.before('key', ABOUT), null)
    await ledger.refused('key')
  }
})

test('a rerun buys a new answer', async (t) => {
  const project = await createProject(await openStore(t))
  const ledger = await nextLedger(project)
  await ledger.before('key', ABOUT)
  await ledger.after('key', 'old')
  await project.append({ type: 'cancelled' })
  await project.append({ type: 'rerun', stage: 'write', and_following: false })
  assert.equal(await (await nextLedger(project)).before('key', ABOUT), null)
})

test('a zombie can neither begin a call nor store an answer that counts', async (t) => {
  const project = await createProject(await openStore(t))
  const zombie = await nextLedger(project)
  await nextLedger(project)
  await assert.rejects(zombie.before('key', ABOUT), { code: 'superseded' })
})
