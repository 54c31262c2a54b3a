/** What is decided without I/O: what is accepted, how texts are cut, how shots are settled and timed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZodError } from 'zod'
import { chunksOf } from '../../../src/pipelines/story/chunks.ts'
import { planStory } from '../../../src/pipelines/story/plan.ts'
import { storyInput } from '../../../src/pipelines/story/schema.ts'
import { settleMove, settleShots } from '../../../src/pipelines/story/shots.ts'
import { story } from '../../../src/pipelines/story/story.ts'

test('the input, its defaults and its examples', () => {
  assert.deepEqual(storyInput.parse({ original_text: 'Once.' }), {
    original_text: 'Once.',
    aspect: '16:9',
    height: 720,
  })
  for (const example of story.examples!) storyInput.parse(example)
  assert.equal(story.titleOf!(storyInput.parse({ original_text: '\n# A tale\nOnce.' })), 'A tale')
  assert.deepEqual(
    story.stages.map((s) => [s.name, s.queue]),
    [
      ['rewrite', 'llm'],
      ['storyboard', 'llm'],
      ['camera_movement', 'llm'],
      ['image_generation', 'image'],
      ['video_generation', 'video'],
    ],
  )
})

const REFUSED: [input: unknown, message: RegExp][] = [
  [{}, /original_text must be text/],
  [{ original_text: '\u200b' }, /no visible character/],
  [{ original_text: 'a'.repeat(200_001) }, /longer than 200000/],
  [{ original_text: 'a', shots: 0 }, /at least 1/],
  [{ original_text: 'a', shots: 61 }, /at most 60/],
  [{ original_text: 'a', style: 'x'.repeat(301) }, /longer than 300/],
  [{ original_text: 'a', text: 'b' }, /text/],
]
for (const [input, message] of REFUSED)
  test(`refuses ${JSON.stringify(input).slice(0, 60)}`, () => {
    assert.throws(
      () => storyInput.parse(input),
      (error: unknown) => error instanceof ZodError && message.test(error.message),
    )
  })

test('a text is cut between paragraphs, else sentences, else words, and never inside a letter', () => {
  assert.deepEqual(chunksOf('  One two.  '), ['One two.'])
  assert.deepEqual(chunksOf('One. Two.\n\nThree. Four.', 18), ['One. Two.', 'Three. Four.'])
  assert.deepEqual(chunksOf('One two. Three four.', 14), ['One two.', 'Three four.'])
  assert.deepEqual(chunksOf('one two three four', 9), ['one two', 'three', 'four'])
  assert.deepEqual(chunksOf('🎉'.repeat(4), 3), ['🎉', '🎉', '🎉', '🎉'])
})

test('chunks lose nothing but white space, whatever the text', () => {
  const text = Array.from({ length: 3_000 }, (_, i) => (i % 41 ? `w${i}` : `W${i}.${i % 3 ? ' ' : '\n\n'}`)).join(' ')
  for (const max of [50, 333, 12_000]) {
    const chunks = chunksOf(text, max)
    assert.ok(chunks.every((chunk) => chunk.length <= max && chunk.length > 0))
    assert.equal(chunks.join('').replace(/\s/g, ''), text.replace(/\s/g, ''))
  }
})

test('shots get names, and last as long as their words need', () => {
  const long = 'word '.repeat(60)
  const shots = settleShots([
    { description: ' a ', dialogue: ' ' },
    { name: 'mine', description: 'b', dialogue: long, duration_s: 1 },
    { description: 'c', duration_s: 4.26 },
  ])
  assert.deepEqual(shots[0], { name: 'shot-001', description: 'a', dialogue: null, duration_s: 1.5 })
  assert.equal(shots[1]!.name, 'mine')
  assert.ok(shots[1]!.duration_s > 10, `${shots[1]!.duration_s}`)
  assert.deepEqual(shots[2], { name: 'shot-003', description: 'c', dialogue: null, duration_s: 4.3 })
})

test('no move leads out of what a picture holds', () => {
  assert.equal(settleMove({ move: 'zoom_in', amount: 5, easing: 'linear' }).amount, 0.3)
  assert.equal(settleMove({ move: 'tilt_up', amount: 0.3, easing: 'linear' }).amount, 0.18)
  assert.equal(settleMove({ move: 'pan_left', amount: -1, easing: 'linear' }).amount, 0)
  assert.equal(settleMove({ move: 'pan_left', amount: 0.1, easing: 'ease_in' }).easing, 'ease_in')
})

test('shots follow one another without a gap, and their words stay inside them', () => {
  const shots = settleShots([
    { description: 'a', dialogue: 'Once\nupon a time.', duration_s: 2 },
    { description: 'b', duration_s: 1.5 },
    { description: 'c', dialogue: 'The end.', duration_s: 3 },
  ])
  const movements = shots.map(({ name }) => ({ shot: name, move: 'zoom_in', amount: 0.1, easing: 'linear' }) as const)
  const images = shots.map(({ name }) => ({ shot: name, picture: `${name}.png` }))
  const plan = planStory({ shots, given: [], movements: [...movements], images })
  assert.deepEqual(
    plan.shots.map((s) => [s.startFrame, s.frames, s.fadeFrames]),
    [
      [0, 50, 10],
      [50, 38, 10],
      [88, 75, 0],
    ],
  )
  assert.equal(plan.frames, 163)
  assert.deepEqual(plan.shots[1]!.lines, [])
  for (const { lines, startFrame, frames } of plan.shots)
    for (const line of lines) assert.ok(line.startS > startFrame / 25 && line.endS < (startFrame + frames) / 25)
  assert.equal(plan.shots[0]!.lines[0]!.text, 'Once upon a time.')
})

test('a camera of the stage’s own input wins', () => {
  const shots = settleShots([{ description: 'a' }])
  const camera = { move: 'tilt_up', amount: 0.1, easing: 'linear' } as const
  const movements = [{ shot: 'shot-001', move: 'static', amount: 0, easing: 'linear' } as const]
  const images = [{ shot: 'shot-001', picture: 'p.png' }]
  const plan = planStory({ shots, given: [{ description: 'a', camera }], movements, images })
  assert.deepEqual([plan.shots[0]!.camera, plan.shots[0]!.amount], ['tilt_up', 0.1])
})
