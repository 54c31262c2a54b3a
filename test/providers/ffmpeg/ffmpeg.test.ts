/** The real programs: moves without jitter, broken files found, abort without leftovers. */
import assert from 'node:assert/strict'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { findByEnvironment } from '../../../src/lib/process-tree.ts'
import { until } from '../../../src/lib/until.ts'
import { cameraFilter } from '../../../src/providers/ffmpeg/camera.ts'
import { clipArgs } from '../../../src/providers/ffmpeg/clip.ts'
import { createFfmpeg } from '../../../src/providers/ffmpeg/ffmpeg.ts'
import type { CameraMove } from '../../../src/providers/provider.ts'
import { startWatch } from '../../helpers/stopwatch.ts'
import { openWorkFolder } from '../../helpers/work-folder.ts'

const ffmpeg = createFfmpeg({ ffmpegPath: null, ffprobePath: null })
const SIZE = { width: 320, height: 180, fps: 25 }
const FRAMES = 60

/** A still with one bright bar or row, whose centre can be measured in every frame. */
async function drawBar(path: string, direction: 'vertical' | 'horizontal'): Promise<void> {
  const bar =
    direction === 'vertical' ? '<rect x="196" width="8" height="225"/>' : '<rect y="108" width="400" height="9"/>'
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="225"><rect width="400" height="225"/><g fill="#fff">${bar}</g></svg>`
  await sharp(Buffer.from(svg)).png().toFile(path)
}

function centres(gray: Buffer, axis: 'x' | 'y'): number[] {
  const { width, height } = SIZE
  return Array.from({ length: gray.length / (width * height) }, (_, frame) => {
    let mass = 0
    let moment = 0
    for (let i = 0; i < width * height; i++) {
      const light = Math.max(0, gray[frame * width * height + i]! - 24)
      mass += light
      moment += light * (axis === 'x' ? i % width : Math.floor(i / width))
    }
    return moment / mass
  })
}

const PANS: { move: CameraMove; axis: 'x' | 'y'; sign: 1 | -1 }[] = [
  { move: 'pan_right', axis: 'x', sign: -1 },
  { move: 'pan_left', axis: 'x', sign: 1 },
  { move: 'tilt_down', axis: 'y', sign: -1 },
  { move: 'tilt_up', axis: 'y', sign: 1 },
]

for (const { move, axis, sign } of PANS)
  test(`${move} moves steadily, never backwards`, async (t) => {
    const work = openWorkFolder(t)
    await drawBar(join(work.folder, 'bar.png'), axis === 'x' ? 'vertical' : 'horizontal')
    const filter = cameraFilter({ move, totalFrames: FRAMES, from: 0, frames: FRAMES, ...SIZE })
    const raw = ['-pix_fmt', 'gray', '-f', 'rawvideo', '-y', 'out.gray']
    await ffmpeg.run(['-nostdin', '-v', 'error', '-i', 'bar.png', '-vf', filter, ...raw], work)
    const at = centres(readFileSync(join(work.folder, 'out.gray')), axis)
    assert.equal(at.length, FRAMES)
    const steps = at.slice(1).map((c, i) => sign * (c - at[i]!))
    assert.ok(Math.min(...steps) > -0.05, `a step back of ${Math.min(...steps)} pixels`)
    assert.ok(sign * (at.at(-1)! - at[0]!) > (axis === 'x' ? 40 : 20), `moved only from ${at[0]} to ${at.at(-1)}`)
  })

async function makeClip(work: ReturnType<typeof openWorkFolder>, frames: number): Promise<string> {
  await drawBar(join(work.folder, 'bar.png'), 'vertical')
  const shot = { picture: 'bar.png', move: 'zoom_in', ownFrames: frames, totalFrames: frames } as const
  await ffmpeg.run(clipArgs({ shot, before: null, fadeFrames: 0, ...SIZE, subtitles: null, out: 'clip.mp4' }), work)
  return join(work.folder, 'clip.mp4')
}

test('a clip has exactly its frames; the same clip twice is the same bytes', async (t) => {
  const work = openWorkFolder(t)
  const path = await makeClip(work, 30)
  const facts = await ffmpeg.check(path, { ...SIZE, frames: 30, audio: false }, work)
  assert.equal(facts.video!.packets, 30)
  const first = readFileSync(path)
  await makeClip(work, 30)
  assert.ok(first.equals(readFileSync(path)))
})

test('a cut-off file is refused although its index claims all frames', async (t) => {
  const work = openWorkFolder(t)
  await makeClip(work, 100)
  await ffmpeg.run(
    ['-nostdin', '-v', 'error', '-i', 'clip.mp4', '-c', 'copy', '-movflags', '+faststart', 'fast.mp4'],
    work,
  )
  const path = join(work.folder, 'fast.mp4')
  truncateSync(path, Math.floor(readFileSync(path).length * 0.7))
  const check = ffmpeg.check(path, { ...SIZE, frames: 100, audio: false }, work)
  await assert.rejects(check, { code: 'invalid_output', message: /claims 100 frames and holds \d\d;/ })
})

test('a missing program is reported with the command that installs it', async (t) => {
  const missing = createFfmpeg({ ffmpegPath: '/nowhere/ffmpeg', ffprobePath: null })
  await assert.rejects(missing.run(['-version'], openWorkFolder(t)), {
    code: 'missing_program',
    message: /ffmpeg is not installed: /,
  })
  assert.equal(await missing.version(), undefined)
  assert.match((await ffmpeg.version()) ?? '', /\d/)
})

test('a build that lacks a filter is named before any work', async (t) => {
  const work = openWorkFolder(t)
  await ffmpeg.require({ filters: ['zoompan', 'xfade', 'ass'], encoders: ['libx264', 'aac'] }, work)
  const lacking = ffmpeg.require({ filters: ['zoompan', 'no_such_filter'], encoders: [] }, work)
  await assert.rejects(lacking, { code: 'missing_program', message: /no filter no_such_filter/ })
})

test('abort ends ffmpeg within two seconds and leaves no process', { timeout: 30_000 }, async (t) => {
  const abort = new AbortController()
  const work = openWorkFolder(t, abort.signal)
  const mark = { name: 'SHOWRUNNER_TEST_MARK', value: `ffmpeg-${process.pid}` }
  const args = [
    '-nostdin',
    '-v',
    'error',
    '-progress',
    'pipe:1',
    '-f',
    'lavfi',
    '-i',
    'testsrc=s=640x360:r=25',
    '-f',
    'null',
    '-',
  ]
  let frames = 0
  const running = ffmpeg.run(args, work, { env: { [mark.name]: mark.value }, onFrames: (n) => (frames = n) })
  running.catch(() => {}) // asserted below
  await until(() => frames > 0, { timeoutMs: 10_000, what: 'progress' })
  assert.equal((await findByEnvironment(mark.name, mark.value)).length, 1)
  const watch = startWatch()
  abort.abort(new Error('enough'))
  await assert.rejects(running, /enough/)
  watch.assertBelow(2_000)
  assert.deepEqual(await findByEnvironment(mark.name, mark.value), [])
})

test('a broken input fails with the reason that ffmpeg gave', async (t) => {
  const work = openWorkFolder(t)
  writeFileSync(join(work.folder, 'x.png'), 'no picture')
  const run = ffmpeg.run(['-nostdin', '-v', 'error', '-i', 'x.png', '-f', 'null', '-'], work)
  await assert.rejects(run, { code: 'program_failed' })
})
