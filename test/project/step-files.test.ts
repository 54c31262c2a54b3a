/** Where the large values of steps lie: each in a file of its own, whatever the step and its stage are called. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { Attempt } from '../../src/project/attempt.ts'
import { ALIVE, begin, createProject, NO_CREDIT, openStore } from '../helpers/projects.ts'

const KEY = 'key'
const large = (text: string) => ({ text, filler: 'x'.repeat(20_000) })
const step = (name: string) => ({ name, key: KEY, value: large(name), files: [] })

test('steps whose names differ only beyond letters and digits, or far behind, keep their own values', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  const same = 'a'.repeat(80)
  const names = ['第一章', '第二章', 'shot 1', 'shot_1', `${same}1`, `${same}2`, '\ud800', '\ud801']
  for (const name of names) await attempt.remember(step(name))
  const next = await begin(project, 'write', { ...ALIVE, token: 'next' })
  for (const name of names) assert.deepEqual(await next.recall(name, KEY), { value: large(name) }, name)
})

test('no stage and no step has a name that is too long for a file', async (t) => {
  const store = await openStore(t)
  const [stage, other] = ['s'.repeat(64), `${'s'.repeat(63)}t`] as const
  const stages = [stage, other].map((name) => ({ name, queue: 'llm' }))
  const about = { id: uuidv7(), pipeline: 'p', title: 't', owner: 'operator', input: null, autostart: true }
  const project = await store.create({ ...about, stages })
  const attempt = await begin(project, stage)
  const name = 'n'.repeat(500)
  await attempt.remember(step(name))
  await attempt.complete({ result: large('result'), text: 'y'.repeat(20_000), credit: NO_CREDIT })
  const next = await begin(project, other)
  await next.remember({ ...step(name), value: large('another') })
  assert.deepEqual(await attempt.recall(name, KEY), { value: large(name) })
  assert.deepEqual(await next.recall(name, KEY), { value: large('another') })
})

test('a value that an earlier version stored is found by the name that its record has', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  await rememberAs(attempt, 'old', 'write-old.step.json')
  assert.deepEqual(await attempt.recall('old', KEY), { value: large('old') })
})

test('of two steps whose values an earlier version stored in one file, only the later has a value', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  await rememberAs(attempt, '第一章', 'write-___.step.json')
  await rememberAs(attempt, '第二章', 'write-___.step.json')
  assert.equal(await attempt.recall('第一章', KEY), undefined)
  assert.deepEqual(await attempt.recall('第二章', KEY), { value: large('第二章') })
})

test('nor does one whose file was lost in between get the value of the other', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  await rememberAs(attempt, '第一章', 'write-___.step.json')
  await attempt.complete({ result: null, text: null, credit: NO_CREDIT })
  await project.append({ type: 'demoted', stage: 'write', missing: ['write-___.step.json'] })
  const next = await begin(project, 'write')
  await rememberAs(next, '第二章', 'write-___.step.json')
  assert.equal(await next.recall('第一章', KEY), undefined)
})

async function rememberAs({ project, stage, fence, putArtifact }: Attempt, name: string, artifact: string) {
  await putArtifact(artifact, { data: JSON.stringify(large(name)) }, 'application/json')
  await project.append({ type: 'step', stage, fence, name, key: KEY, result: { artifact }, files: [artifact] })
}
