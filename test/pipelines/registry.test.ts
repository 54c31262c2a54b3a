import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkPipeline, loadPipelines } from '../../src/pipelines/registry.ts'
import { tempFolder } from '../helpers/temp.ts'

const GOOD = `export default { name: 'good', input: { parse: (v: unknown) => v }, stages: [{ name: 'one', queue: 'video_generation', run: () => 1 }] }`

test('files of a folder are pipelines; a broken one only disables itself', async (t) => {
  const folder = await tempFolder(t)
  await Promise.all([
    writeFile(join(folder, 'good.ts'), GOOD),
    writeFile(join(folder, 'twin.ts'), GOOD),
    writeFile(join(folder, 'syntax.ts'), 'export default {'),
    writeFile(join(folder, 'throws.mjs'), 'throw new Error("at import")'),
    writeFile(join(folder, 'empty.ts'), 'export const x = 1'),
    writeFile(join(folder, 'readme.md'), 'not a pipeline'),
  ])
  const registry = await loadPipelines(folder)
  assert.equal(registry.get('good')?.stages[0]?.queue, 'video', 'the older name of a queue is known')
  assert.ok(registry.get('video'), 'the built-in ones are there')
  const problems = Object.fromEntries(registry.problems.map((p) => [p.file, p.reason]))
  assert.deepEqual(Object.keys(problems), ['empty.ts', 'syntax.ts', 'throws.mjs', 'twin.ts'])
  assert.match(problems['throws.mjs']!, /at import/)
  assert.match(problems['twin.ts']!, /already taken/)
})

test('a folder that is not there is a problem, none at all is not', async () => {
  assert.match((await loadPipelines('/nowhere/at/all')).problems[0]!.reason, /no such folder/)
  assert.deepEqual((await loadPipelines(null)).problems, [])
})

const stage = { name: 'one', queue: 'llm', run: () => 1 }
const input = { parse: (v: unknown) => v }
const BAD: [string, unknown, RegExp][] = [
  ['no export', undefined, /default export/],
  ['a bad name', { name: 'a b', input, stages: [stage] }, /"name"/],
  ['no input', { name: 'a', stages: [stage] }, /"input"/],
  ['no stages', { name: 'a', input, stages: [] }, /"stages"/],
  ['a stage without a name', { name: 'a', input, stages: [{ ...stage, name: undefined }] }, /stage 1: "name"/],
  ['a stage without run', { name: 'a', input, stages: [{ ...stage, run: 1 }] }, /"run"/],
  ['an unknown queue', { name: 'a', input, stages: [{ ...stage, queue: 'nope' }] }, /no queue "nope"/],
  ['two of one name', { name: 'a', input, stages: [stage, stage] }, /two stages/],
]

for (const [name, value, expected] of BAD)
  test(`refuses ${name}`, () => assert.throws(() => checkPipeline(value), expected))

const LIMITS: [value: unknown, shown: string][] = [
  [0, '0'],
  [-5, '-5'],
  [604_801, '604801'],
  [2 ** 31, '2147483648'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  ['60', "'60'"],
  [null, 'null'],
]
for (const key of ['timeLimitS', 'softTimeLimitS'])
  for (const [value, shown] of LIMITS)
    test(`refuses a ${key} of ${shown}, and says what is allowed`, () =>
      assert.throws(
        () => checkPipeline({ name: 'a', input, stages: [stage, { ...stage, name: 'two', [key]: value }] }),
        {
          message: `stage 2 (two): "${key}" is ${shown}; expected seconds above 0, at most 604800 (a week)`,
        },
      ))

test('takes limits from a part of a second to a week', () => {
  for (const timeLimitS of [0.5, 1, 604_800, undefined])
    assert.ok(checkPipeline({ name: 'a', input, stages: [{ ...stage, timeLimitS, softTimeLimitS: timeLimitS }] }))
})

test('a file whose limit no timer can keep is named with stage and value', async (t) => {
  const folder = await tempFolder(t)
  await writeFile(join(folder, 'long.ts'), GOOD.replace("name: 'one',", "name: 'one', timeLimitS: 3e6,"))
  const { problems } = await loadPipelines(folder)
  assert.deepEqual(problems, [
    {
      file: 'long.ts',
      reason: 'stage 1 (one): "timeLimitS" is 3000000; expected seconds above 0, at most 604800 (a week)',
    },
  ])
})
