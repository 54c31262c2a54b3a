/** What the pipeline takes, and the sentence for everything that it refuses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZodError } from 'zod'
import { sizeOf } from '../../../src/pipelines/film/frame.ts'
import { videoInput } from '../../../src/pipelines/video/schema.ts'
import { video } from '../../../src/pipelines/video/video.ts'

test('defaults', () => {
  assert.deepEqual(videoInput.parse({ text: 'Hello.' }), {
    text: 'Hello.',
    aspect: '16:9',
    height: 720,
    max_duration_s: 60,
  })
})

const REFUSED: [name: string, input: unknown, message: RegExp][] = [
  ['no text', {}, /text must be text/],
  ['empty', { text: '' }, /no visible character/],
  ['white space', { text: ' \n\t\u00a0' }, /no visible character/],
  ['invisible characters', { text: '\u200b\ufeff' }, /no visible character/],
  ['NUL', { text: 'a\0b' }, /NUL/],
  ['a lone surrogate', { text: 'a\ud83d' }, /surrogate/],
  ['too long', { text: 'a'.repeat(200_001) }, /longer than 200000/],
  ['a height in between', { text: 'a', height: 500 }, /360, 480, 720, 1080/],
  ['an unknown aspect', { text: 'a', aspect: '4:3' }, /16:9/],
  ['a voice that is an option', { text: 'a', voice: '-w' }, /voice must be/],
  ['a film that is too short', { text: 'a', max_duration_s: 1 }, /at least 15/],
  ['an unknown field', { text: 'a', colour: 'red' }, /colour/],
  ['an empty title', { text: 'a', title: ' ' }, /title is empty/],
]
for (const [name, input, message] of REFUSED)
  test(`refuses ${name}`, () => {
    assert.throws(
      () => videoInput.parse(input),
      (error: unknown) => error instanceof ZodError && message.test(error.message),
    )
  })

test('counts characters, not UTF-16 units', () => {
  assert.equal(videoInput.parse({ text: '🎉'.repeat(200_000) }).text.length, 400_000)
})

test('sizes are even, and the height is the one asked for', () => {
  assert.deepEqual(sizeOf({ aspect: '16:9', height: 480 }), { width: 854, height: 480 })
  assert.deepEqual(sizeOf({ aspect: '9:16', height: 720 }), { width: 406, height: 720 })
  assert.deepEqual(sizeOf({ aspect: '1:1', height: 1080 }), { width: 1080, height: 1080 })
})

test('the examples are valid, and a project has a title', () => {
  for (const example of video.examples!) videoInput.parse(example)
  assert.equal(video.titleOf!(videoInput.parse({ text: '\n## A tale\nOnce.' })), 'A tale')
  assert.equal(video.titleOf!(videoInput.parse({ text: 'x', title: 'Mine' })), 'Mine')
  assert.deepEqual(
    video.stages.map((s) => [s.name, s.queue]),
    [
      ['script', 'llm'],
      ['assets', 'image'],
      ['render', 'video'],
      ['thumbnail', 'video'],
      ['upload', 'video'],
    ],
  )
})
