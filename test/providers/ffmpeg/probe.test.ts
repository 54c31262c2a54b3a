/** What ffprobe answers, and what counts as a broken video. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseNames } from '../../../src/providers/ffmpeg/ffmpeg.ts'
import { type MediaFacts, parseProbe, problemsOf } from '../../../src/providers/ffmpeg/probe.ts'
import { framesOf } from '../../../src/providers/ffmpeg/progress.ts'

const GOOD: MediaFacts = {
  durationS: 20,
  bytes: 1000,
  video: { codec: 'h264', width: 640, height: 360, frames: 500, packets: 500, durationS: 20 },
  audio: { codec: 'aac', sampleRate: 48000, channels: 2, durationS: 20 },
}
const EXPECTED = { width: 640, height: 360, frames: 500, fps: 25, audio: true }

test('a video as planned has no problems', () => assert.deepEqual(problemsOf(GOOD, EXPECTED), []))

const BROKEN: [name: string, facts: MediaFacts, problem: RegExp][] = [
  ['no video', { ...GOOD, video: null }, /no video stream/],
  ['no audio', { ...GOOD, audio: null }, /audio is missing/],
  ['another codec', { ...GOOD, video: { ...GOOD.video!, codec: 'hevc' } }, /hevc, not h264/],
  ['another size', { ...GOOD, video: { ...GOOD.video!, width: 642 } }, /642x360/],
  ['cut off behind its index', { ...GOOD, video: { ...GOOD.video!, packets: 131 } }, /claims 500 frames and holds 131/],
  ['too short', { ...GOOD, durationS: 19.8 }, /lasts 19\.8 s, not 20 s/],
]
for (const [name, facts, problem] of BROKEN)
  test(name, () => assert.match(problemsOf(facts, EXPECTED).join('; '), problem))

test('reads streams and leaves out what a container does not say', () => {
  const json = JSON.stringify({
    streams: [
      { codec_type: 'video', codec_name: 'h264', width: 640, height: 360, nb_read_packets: '12', duration: 'N/A' },
    ],
    format: { duration: '0.480000', size: '2048' },
  })
  assert.deepEqual(parseProbe(json), {
    durationS: 0.48,
    bytes: 2048,
    video: { codec: 'h264', width: 640, height: 360, frames: 0, packets: 12, durationS: 0 },
    audio: null,
  })
})

test('progress lines', () => {
  assert.equal(framesOf('frame=42'), 42)
  assert.equal(framesOf('fps=42'), undefined)
  assert.equal(framesOf('frame=N/A'), undefined)
})

test('names of filters and encoders', () => {
  const text =
    'Filters:\n  T.. = Timeline support\n ... zoompan           V->V       Apply Zoom.\n T.C xfade VV->V Cross\n V....D libx264  H.264\n'
  assert.deepEqual([...parseNames(text)], ['zoompan', 'xfade', 'libx264'])
})
