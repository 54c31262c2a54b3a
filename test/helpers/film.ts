/** Measures a film against its plan: what ffprobe counts, what can be heard, and what the subtitles say. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exec } from '../../src/lib/exec.ts'
import type { FilmPlan } from '../../src/pipelines/video/plan.ts'
import { loudnessOf, parseWav } from '../../src/providers/builtin/wav.ts'
import { createFfmpeg } from '../../src/providers/ffmpeg/ffmpeg.ts'
import type { Work } from '../../src/providers/provider.ts'
import { PLAIN_OPTIONS } from './stage-context.ts'

export type Cue = { startS: number; endS: number; text: string }

type Size = { width: number; height: number }

/** H.264 and AAC, as many frames as packets and as planned, as long as planned, and without a broken packet. */
export async function assertStreams(film: string, plan: FilmPlan & Size, work: Work): Promise<void> {
  const { video, audio, durationS } = await createFfmpeg(PLAIN_OPTIONS).probe(film, work)
  assert.deepEqual([video?.codec, video?.width, video?.height], ['h264', plan.width, plan.height])
  assert.deepEqual([audio?.codec, audio?.sampleRate, audio?.channels], ['aac', 48_000, 2])
  assert.deepEqual([video?.frames, video?.packets], [plan.frames, plan.frames])
  for (const lastsS of [durationS, video!.durationS, audio!.durationS])
    assert.ok(Math.abs(lastsS - plan.durationS) < 0.1, `it lasts ${lastsS} s, planned are ${plan.durationS} s`)
  await exec('ffmpeg', ['-nostdin', '-v', 'error', '-xerror', '-i', film, '-f', 'null', '-'], { timeoutMs: 120_000 })
}

/** Every line is heard where it is planned, and between lines there is silence. */
export async function assertNarration(film: string, plan: FilmPlan, work: Work): Promise<void> {
  const wav = join(work.folder, 'film.wav')
  const args = ['-nostdin', '-v', 'error', '-i', film, '-vn', '-ac', '1', '-c:a', 'pcm_s16le', '-y', wav]
  await exec('ffmpeg', args, { timeoutMs: 60_000 })
  const { samples, sampleRate } = parseWav(readFileSync(wav), 'film')
  const loud = (fromS: number, toS: number) =>
    loudnessOf(samples.subarray(Math.round(fromS * sampleRate), Math.round(toS * sampleRate)))
  const lines = linesOf(plan)
  for (const { startS, endS, text } of lines) assert.ok(loud(startS, endS) > 0.02, `not heard: ${text}`)
  for (const [i, { startS }] of lines.slice(1).entries())
    assert.ok(loud(lines[i]!.endS + 0.05, startS - 0.05) < 0.005, 'a pause is silent')
  assert.ok(loud(0, lines[0]!.startS - 0.05) < 0.005, 'nobody speaks before the first line')
}

/** Each cue lies within the audio of its line, and together they are the whole narration. */
export function assertSubtitles(srt: string, plan: FilmPlan): void {
  const cues = cuesIn(srt)
  const lines = linesOf(plan)
  for (const { startS, endS, text } of cues)
    assert.ok(
      startS < endS && lines.some((l) => l.startS <= startS && endS <= l.endS && l.text.includes(text)),
      `outside of its line: ${text}`,
    )
  assert.equal(cues.map((cue) => cue.text).join(' '), lines.map((line) => line.text).join(' '))
}

export function cuesIn(srt: string): Cue[] {
  return srt
    .trim()
    .split('\n\n')
    .map((block) => {
      const [, times, ...rows] = block.split('\n')
      const [start, end] = times!.split(' --> ')
      return { startS: seconds(start!), endS: seconds(end!), text: rows.join(' ') }
    })
}

function linesOf(plan: FilmPlan) {
  return plan.shots.flatMap((shot) => shot.lines)
}

function seconds(time: string): number {
  return Number(time.slice(0, 2)) * 3_600 + Number(time.slice(3, 5)) * 60 + Number(time.slice(6).replace(',', '.'))
}
