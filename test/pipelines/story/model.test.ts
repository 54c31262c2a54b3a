/** The story as a model writes it: against a double of the contract, and through the real provider over HTTP. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MovementResult, RewriteResult, StoryboardResult } from '../../../src/pipelines/story/results.ts'
import { story } from '../../../src/pipelines/story/story.ts'
import { createProviders } from '../../../src/providers/pick.ts'
import type { TextModel } from '../../../src/providers/provider.ts'
import { startOpenAiServer } from '../../helpers/openai-server.ts'
import { openStages, PLAIN_OPTIONS, type StageRecord } from '../../helpers/stage-context.ts'
import { createTextDouble } from './text-double.ts'

const INPUT = {
  original_text: 'A fox saw grapes. It jumped. They were too high.',
  style: 'noir',
  shots: 2,
  height: 360,
}
const SHOTS = [
  { description: 'A fox in the rain', dialogue: 'Grapes.', duration_s: 3 },
  { description: 'A vine above a wall', dialogue: null, duration_s: 99 },
]
const MOVES = {
  'shot-001': { move: 'pan_left', amount: 0.9, easing: 'ease_in' },
  'shot-002': { move: 'static', amount: 0.2, easing: 'ease_out' },
}

const withText = (text: TextModel) => ({ ...createProviders(PLAIN_OPTIONS), text })
const streamed = ({ emissions }: StageRecord) => emissions.filter((e) => typeof e === 'string').join('')

test('the text is rewritten by the model, streamed as it comes, with its cost', async () => {
  const model = createTextDouble(() => 'Rain. A fox. Grapes, far above.')
  await using stages = await openStages(story, INPUT, withText(model))
  const record = await stages.run('rewrite')
  const result = record.result as RewriteResult
  assert.equal(result.text, 'Rain. A fox. Grapes, far above.')
  assert.equal(streamed(record), result.text)
  assert.ok(record.emissions.length > 3)
  assert.deepEqual([result.provider, result.model, result.method], ['double', 'double-1', 'model'])
  assert.deepEqual(record.provenance, { provider: 'double', model: 'double-1-dated', degraded: [] })
  assert.deepEqual(record.usage, [{ input_tokens: 10, output_tokens: 31, cost_usd: 0.01 }])
  assert.match(model.asked[0]!.user, /Style: noir\n<text>\nA fox saw grapes/)
})

test('a long text is rewritten part by part, and a failed part does not buy the others again', async () => {
  const original_text = Array.from({ length: 900 }, (_, i) => `The fox came back for the ${i}th time.`).join(' ')
  let broken = true
  const model = createTextDouble(({ user }) => {
    if (broken && user.includes('part 2 of 3')) throw new Error('the line went dead')
    return `Part ${/part (\d)/.exec(user)![1]}.`
  })
  await using stages = await openStages(story, { ...INPUT, original_text }, withText(model))
  await assert.rejects(stages.run('rewrite'), /went dead/)
  broken = false
  const record = await stages.run('rewrite')
  assert.equal((record.result as RewriteResult).text, 'Part 1.\n\nPart 2.\n\nPart 3.')
  assert.equal(streamed(record), 'Part 1.\n\nPart 2.\n\nPart 3.', 'a remembered part is streamed too')
  assert.equal(record.usage.length, 3, 'the remembered part has cost something as well')
  const asked = model.asked.map(({ user }) => /part (\d)/.exec(user)![1])
  assert.deepEqual(asked, ['1', '2', '2', '3'])
  assert.equal(model.asked[1]!.requestKey, model.asked[2]!.requestKey, 'a second attempt is the same request')
  assert.equal(new Set(model.asked.map((a) => a.requestKey)).size, 3)
  for (const { user } of model.asked) assert.ok(user.length < 12_400)
})

test('storyboard and moves are JSON of the model, settled into what can be filmed', async () => {
  const answers = [JSON.stringify({ shots: SHOTS }), JSON.stringify({ movements: MOVES })]
  const model = createTextDouble((_, n) => answers[n - 1]!)
  await using stages = await openStages(story, INPUT, withText(model))
  const boarded = await stages.run('storyboard')
  assert.deepEqual((boarded.result as StoryboardResult).shots, [
    { name: 'shot-001', ...SHOTS[0] },
    { name: 'shot-002', ...SHOTS[1], duration_s: 20 },
  ])
  assert.equal(streamed(boarded), answers[0])
  const moved = await stages.run('camera_movement')
  assert.deepEqual((moved.result as MovementResult).movements, [
    { shot: 'shot-001', move: 'pan_left', amount: 0.18, easing: 'ease_in' },
    { shot: 'shot-002', move: 'static', amount: 0, easing: 'linear' },
  ])
  assert.match(model.asked[0]!.user, /Style: noir\nGive 2 shots/)
  assert.match(model.asked[1]!.user, /A fox in the rain/)
})

test('another number of shots than wanted is said', async () => {
  const model = createTextDouble(() => JSON.stringify({ shots: SHOTS }))
  await using stages = await openStages(story, { ...INPUT, shots: 5 }, withText(model))
  const { provenance } = await stages.run('storyboard')
  assert.deepEqual(provenance.degraded, ['the model made 2 shots, not 5'])
})

const UNFIT: [what: string, stage: string, answer: unknown][] = [
  ['no shots', 'storyboard', { shots: [] }],
  ['a shot without a description', 'storyboard', { shots: [{ ...SHOTS[0], description: ' ' }] }],
  ['a duration in words', 'storyboard', { shots: [{ ...SHOTS[0], duration_s: 'long' }] }],
  ['a missing movement', 'camera_movement', { movements: { 'shot-001': MOVES['shot-001'] } }],
  [
    'an unknown move',
    'camera_movement',
    { movements: { ...MOVES, 'shot-002': { move: 'fly', amount: 0, easing: 'linear' } } },
  ],
]

for (const [what, stage, answer] of UNFIT)
  test(`an answer with ${what} does not pass`, async () => {
    const model = createTextDouble(() => JSON.stringify(answer))
    await using stages = await openStages(story, INPUT, withText(model))
    const own = stage === 'storyboard' ? INPUT : { shots: SHOTS.map((shot) => ({ ...shot, duration_s: 3 })) }
    await assert.rejects(stages.run(stage, undefined, { input: own }), /does not fit/)
  })

test('through the real provider: three stages over HTTP, text as it came', { timeout: 60_000 }, async () => {
  await using server = await startOpenAiServer()
  const models = { textModel: 'test-model', imageModel: null, speechModel: null, transcribeModel: null }
  const openai = { apiKey: 'test', baseUrl: server.url, ...models }
  await using stages = await openStages(story, INPUT, createProviders({ ...PLAIN_OPTIONS, openai }))
  const rewritten = await stages.run('rewrite')
  assert.equal(streamed(rewritten), (rewritten.result as RewriteResult).text)
  assert.ok(rewritten.usage[0]!.output_tokens > 0)
  const boarded = await stages.run('storyboard')
  assert.equal(JSON.parse(streamed(boarded)).shots.length, (boarded.result as StoryboardResult).shots.length)
  const moved = await stages.run('camera_movement')
  assert.equal((moved.result as MovementResult).movements.length, (boarded.result as StoryboardResult).shots.length)
  assert.equal(server.calls.length, 3, 'no answer needed a repair')
  assert.match(
    server.calls[1]!.body.messages.at(-1).content,
    new RegExp((rewritten.result as RewriteResult).text.slice(0, 20)),
  )
})

test('a stream that is cut off fails as something that can be tried again', { timeout: 60_000 }, async () => {
  await using server = await startOpenAiServer()
  const models = { textModel: 'test-model', imageModel: null, speechModel: null, transcribeModel: null }
  const openai = { apiKey: 'test', baseUrl: server.url, ...models }
  await using stages = await openStages(story, INPUT, createProviders({ ...PLAIN_OPTIONS, openai }))
  server.behaviour.faults.push({ kind: 'reset_midway' })
  await assert.rejects(stages.run('rewrite'), { retryable: true })
  const { result } = await stages.run('rewrite')
  assert.ok((result as RewriteResult).text.length > 20)
  assert.equal(Object.values(server.counts()).length, 1, 'both attempts had the same request key')
})
