/** Command lines are values: what is asked of FFmpeg is compared as text. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cameraFilter } from '../../../src/providers/ffmpeg/camera.ts'
import { type Clip, clipArgs } from '../../../src/providers/ffmpeg/clip.ts'
import { concatList, filmArgs, parseLoudness } from '../../../src/providers/ffmpeg/film.ts'
import { CAMERA_MOVES } from '../../../src/providers/provider.ts'

const SIZE = { width: 1280, height: 720, fps: 25 }

test('a still is scaled up once and shown for exactly its frames', () => {
  const filter = cameraFilter({ move: 'static', totalFrames: 60, from: 0, frames: 50, ...SIZE })
  assert.equal(
    filter,
    "scale=1280:720:flags=bicubic,zoompan=z='1':x='0':y='0':d=50:s=1280x720:fps=25,setsar=1,format=yuv420p,settb=AVTB",
  )
})

test('every move differs from every other', () => {
  const filters = CAMERA_MOVES.map((move) => cameraFilter({ move, totalFrames: 60, from: 0, frames: 60, ...SIZE }))
  assert.equal(new Set(filters).size, CAMERA_MOVES.length)
})

test('a clip that shows the end of a move starts inside it', () => {
  const filter = cameraFilter({ move: 'zoom_in', totalFrames: 60, from: 50, frames: 10, ...SIZE })
  assert.match(filter, /cos\(PI\*\(on\+50\)\/59\)/)
  assert.match(filter, /:d=10:/)
})

test('very wide frames are not scaled beyond what FFmpeg handles well', () => {
  const filter = cameraFilter({
    move: 'zoom_in',
    totalFrames: 2,
    from: 0,
    frames: 2,
    width: 3840,
    height: 2160,
    fps: 25,
  })
  assert.match(filter, /^scale=5760:3240:/)
})

const SHOT = { picture: 'b.png', move: 'static', ownFrames: 100, totalFrames: 100 } as const
const CLIP: Clip = { shot: SHOT, before: null, fadeFrames: 0, ...SIZE, subtitles: null, out: 'b.part.mp4' }

function graphOf(args: string[]): string {
  return args[args.indexOf('-filter_complex') + 1]!
}

test('the first clip has one input and no crossfade', () => {
  const args = clipArgs(CLIP)
  assert.deepEqual(
    args.filter((_, i) => args[i - 1] === '-i'),
    ['b.png'],
  )
  assert.doesNotMatch(graphOf(args), /xfade|ass=/)
  assert.equal(args[args.indexOf('-frames:v') + 1], '100')
  assert.equal(args.at(-1), 'b.part.mp4')
})

test('a later clip fades the end of the shot before into its own beginning, and burns its subtitles last', () => {
  const before = { picture: 'a.png', move: 'pan_left', ownFrames: 80, totalFrames: 90 } as const
  const args = clipArgs({ ...CLIP, before, fadeFrames: 10, subtitles: { file: 'b.ass', fonts: 'fonts' } })
  assert.deepEqual(
    args.filter((_, i) => args[i - 1] === '-i'),
    ['b.png', 'a.png'],
  )
  assert.match(
    graphOf(args),
    /\(on\+80\).*:d=10:.*\[before\]\[scene\]xfade=transition=fade:duration=0\.400000:offset=0\[faded\]/,
  )
  assert.match(graphOf(args), /;\[faded\]ass=b\.ass:fontsdir=fonts,format=yuv420p\[out\]$/)
})

const FILM = {
  list: 'clips.txt',
  narration: 'n.wav',
  frames: 500,
  fps: 25,
  title: "it's",
  comment: 'c',
  out: 'film.mp4',
}

test('joining copies pictures and applies one gain to the sound', () => {
  const args = filmArgs({ ...FILM, loudness: -20.5 })
  assert.equal(args[args.indexOf('-c:v') + 1], 'copy')
  assert.equal(args[args.indexOf('-t') + 1], '20.000000')
  assert.match(args[args.indexOf('-filter:a') + 1]!, /volume=4\.50dB,alimiter/)
  assert.ok(args.includes("title=it's"))
})

test('silence stays as it is', () => {
  const args = filmArgs({ ...FILM, loudness: null })
  assert.doesNotMatch(args[args.indexOf('-filter:a') + 1]!, /volume|alimiter/)
})

test('reads the measured loudness, and that there is none', () => {
  assert.equal(parseLoudness('[Parsed_loudnorm @ 0x1]\n{\n "input_i" : "-20.33",\n "input_tp" : "-0.7"\n}\n'), -20.33)
  assert.equal(parseLoudness('{ "input_i" : "-inf" }'), null)
})

test('a concat list holds plain names', () => {
  assert.equal(concatList(['a.mp4', 'b.mp4']), 'ffconcat version 1.0\nfile a.mp4\nfile b.mp4\n')
})
