/** The film's timing: whole frames, no overlap, never longer than wanted; and subtitles inside their lines. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ass, charsPerRow, cuesOf, srt, wrap } from '../../../src/pipelines/film/subtitles.ts'
import { FPS, planFilm } from '../../../src/pipelines/video/plan.ts'
import type { ShotAssets } from '../../../src/pipelines/video/results.ts'

let number = 0
const line = (duration_s: number, weight = 1) => ({
  name: `line-${++number}`,
  text: 'Some words.',
  weight,
  narration: 'n.wav',
  duration_s,
})
const shot = (...lines: ShotAssets['lines']): ShotAssets => ({
  name: `shot-${number}`,
  headline: '',
  camera: 'static',
  picture: 'p.png',
  lines,
})

test('shots follow one another without a gap, and lines lie inside their shot', () => {
  const plan = planFilm([shot(line(2.013), line(1.5)), shot(line(3.3333)), shot(line(0.9))], 60)
  let next = 0
  let spoken = 0
  for (const [i, s] of plan.shots.entries()) {
    assert.equal(s.startFrame, next)
    next += s.frames
    assert.equal(s.fadeFrames > 0, i < plan.shots.length - 1)
    for (const l of s.lines) {
      assert.ok(l.startS >= spoken && l.startS >= s.startFrame / FPS && l.endS <= next / FPS)
      spoken = l.endS
    }
  }
  assert.deepEqual([plan.frames, plan.durationS, plan.droppedLines], [next, next / FPS, 0])
})

test('the voice begins after the crossfade into its shot', () => {
  const { shots } = planFilm([shot(line(1)), shot(line(1))], 60)
  assert.ok(shots[1]!.lines[0]!.startS >= (shots[1]!.startFrame + shots[0]!.fadeFrames) / FPS)
})

test('the lightest lines are left out until the film is short enough; an emptied shot goes with them', () => {
  const plan = planFilm([shot(line(8, 3)), shot(line(8, 1)), shot(line(8, 2), line(8, 4))], 20)
  assert.deepEqual([plan.shots.length, plan.droppedLines], [2, 2])
  assert.ok(plan.durationS <= 20)
})

test('one line always stays', () => {
  const plan = planFilm([shot(line(30)), shot(line(40, 2))], 15)
  assert.deepEqual([plan.shots.length, plan.droppedLines], [1, 1])
  assert.ok(plan.durationS > 40)
})

const HD = { width: 1280, height: 720 }
const planned = (text: string, startS = 1, endS = 7) => ({ name: 'l', text, narration: 'n', startS, endS })

test('cues have two rows at most and share exactly the time of their line', () => {
  const text =
    'It is impossible to say how first the idea entered my brain; but once conceived, it haunted me day and night, and more.'
  const cues = cuesOf(planned(text), 42)
  assert.equal(cues.flatMap((cue) => cue.rows).join(' '), text)
  assert.ok(cues.length === 2 && cues.every((cue) => cue.rows.length <= 2 && cue.rows.every((row) => row.length <= 42)))
  assert.deepEqual([cues[0]!.startS, cues.at(-1)!.endS], [1, 7])
  assert.equal(cues[0]!.endS, cues[1]!.startS)
})

test('narrow frames get shorter rows', () => {
  assert.equal(charsPerRow(HD), 42)
  assert.ok(charsPerRow({ width: 406, height: 720 }) < 30)
})

test('text without spaces is cut at the row, by width and never inside a character', () => {
  assert.deepEqual(wrap('国王国王国王', 8), ['国王国王', '国王'])
  assert.deepEqual(wrap(`ab ${'x'.repeat(10)}`, 8), ['ab', 'xxxxxxxx', 'xx'])
  assert.deepEqual(wrap('👩‍👩‍👧👩‍👩‍👧', 5), ['👩‍👩‍👧', '👩‍👩‍👧'])
})

test('SubRip: numbered, inside the line, to the millisecond', () => {
  assert.equal(
    srt([{ startS: 3599.9991, endS: 3601.2345, rows: ['One', 'two'] }]),
    '1\n01:00:00,000 --> 01:00:01,234\nOne\ntwo\n',
  )
})

const all = { family: 'F', offsetS: 10, covers: () => true }

test('burned subtitles count from the beginning of their clip and cannot be commands', () => {
  const burned = ass([{ startS: 10.5, endS: 12, rows: ['{\\an8}Hello\\N', 'you'] }], HD, all)
  assert.match(burned.ass!, /Dialogue: 0,0:00:00\.50,0:00:02\.00,Line,,0,0,0,,\\{∖an8\\}Hello∖N\\Nyou\n$/)
  assert.match(burned.ass!, /PlayResX: 1280\nPlayResY: 720/)
})

test('what has no font is not burned, and its script is named', () => {
  const covers = (c: number) => c < 0x300
  const cues = [
    { startS: 10, endS: 11, rows: ['Hello', '国王'] },
    { startS: 11, endS: 12, rows: ['Bye'] },
  ]
  const burned = ass(cues, HD, { ...all, covers })
  assert.doesNotMatch(burned.ass!, /Hello|国王/)
  assert.match(burned.ass!, /Bye/)
  assert.deepEqual(burned.missing, ['Han'])
  assert.equal(ass(cues.slice(0, 1), HD, { ...all, covers }).ass, null)
})
