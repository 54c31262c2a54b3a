/** Each stage on input of its own, as execute-stage runs it, and the sentence for everything that it cannot work on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../../../src/lib/errors.ts'
import type {
  FilmResult,
  ImagesResult,
  MovementResult,
  RewriteResult,
  StoryboardResult,
} from '../../../src/pipelines/story/results.ts'
import { story } from '../../../src/pipelines/story/story.ts'
import { openStages, type StageRunner } from '../../helpers/stage-context.ts'

const PROJECT = { original_text: 'A fox saw grapes. It jumped for them. They were too high.', height: 360 }
const SHOTS = [
  { description: 'A fox under a vine', dialogue: 'What fine grapes!', duration_s: 2 },
  { name: 'end', description: 'The fox walks away', dialogue: null, duration_s: 1.5 },
]
const GIVEN = SHOTS.map((shot) => ({ ...shot, camera: { move: 'zoom_in', amount: 0.9, easing: 'linear' } }))

const runOn = async (stages: StageRunner, stage: string, input: unknown) =>
  (await stages.run(stage, undefined, { input })).result

test('rewrite takes another text', async () => {
  await using stages = await openStages(story, PROJECT)
  const result = (await runOn(stages, 'rewrite', { original_text: 'Another tale.', style: 'noir' })) as RewriteResult
  assert.equal(result.text, 'Another tale.')
  assert.ok(result.degraded.some((d) => d.includes('style')))
})

test('storyboard takes a text and a number of shots, before the rewritten one', async () => {
  await using stages = await openStages(story, PROJECT)
  await stages.run('rewrite')
  const own = { text: 'One came. Two followed them. Three were late. Four never came.', shots: 3 }
  const result = (await runOn(stages, 'storyboard', own)) as StoryboardResult
  assert.equal(result.shots.map((shot) => shot.dialogue).join(' '), own.text)
  assert.equal(result.shots.length, 3)
  const rewritten = (await runOn(stages, 'storyboard', {})) as StoryboardResult
  assert.match(rewritten.shots[0]!.dialogue!, /^A fox/)
})

test('camera moves and pictures for shots that nobody has planned before', { timeout: 60_000 }, async () => {
  await using stages = await openStages(story, PROJECT)
  const moved = (await runOn(stages, 'camera_movement', { shots: SHOTS })) as MovementResult
  assert.deepEqual(
    moved.movements.map((m) => m.shot),
    ['shot-001', 'end'],
  )
  const drawn = (await runOn(stages, 'image_generation', { shots: SHOTS, height: 360 })) as ImagesResult
  assert.deepEqual(
    drawn.images.map((i) => i.picture),
    ['shot-001.png', 'end.png'],
  )
})

test('a film of given shots: their cameras win, its size is that of the pictures', { timeout: 90_000 }, async () => {
  await using stages = await openStages(story, PROJECT)
  await runOn(stages, 'image_generation', { shots: SHOTS, height: 360, aspect: '1:1' })
  const film = (await runOn(stages, 'video_generation', { shots: GIVEN })) as FilmResult
  assert.deepEqual([film.width, film.height, film.shots], [360, 360, 2])
  assert.equal(film.frames, 50 + 38)
})

const REFUSED: [stage: string, input: unknown, message: RegExp][] = [
  ['rewrite', {}, /input of rewrite .* needs original_text/],
  ['rewrite', { original_text: ' ' }, /no visible character/],
  ['rewrite', { original_text: 'a', colour: 'red' }, /colour/],
  ['rewrite', 'a text', /input of rewrite is not valid/],
  ['storyboard', {}, /needs text/],
  ['storyboard', { text: 'a', shots: SHOTS }, /shots must be a number here/],
  ['storyboard', { text: 'a', shots: 61 }, /at most 60/],
  ['storyboard', { text: 'a', shots: 1.5 }, /whole number/],
  ['storyboard', { text: 'a', shots: 'many' }, /must be a number, or a list/],
  ['camera_movement', {}, /needs shots/],
  ['camera_movement', { shots: [] }, /shots is empty/],
  ['image_generation', { shots: [{ description: '' }] }, /shots.0.description: description is empty/],
  ['image_generation', { shots: [{ name: '../x', description: 'a' }] }, /name must be up to 40/],
  [
    'image_generation',
    {
      shots: [
        { name: 'a', description: 'a' },
        { name: 'a', description: 'b' },
      ],
    },
    /same name/,
  ],
  ['image_generation', { shots: [{ name: 'shot-002', description: 'a' }, { description: 'b' }] }, /same name/],
  ['video_generation', {}, /needs shots/],
  ['video_generation', { shots: SHOTS }, /shot-001 has no picture.*shot-001 has no camera.*end has no picture/],
  ['video_generation', { shots: [{ description: 'a', camera: { move: 'fly' } }] }, /camera.move/],
]

for (const [stage, input, message] of REFUSED)
  test(`${stage} refuses ${JSON.stringify(input)}`, async () => {
    await using stages = await openStages(story, PROJECT)
    await assert.rejects(runOn(stages, stage, input), (error: unknown) => {
      assert.ok(error instanceof AppError)
      assert.equal(error.code, 'invalid_value')
      assert.equal(error.retryable, false)
      assert.match(error.message, message)
      return true
    })
  })
