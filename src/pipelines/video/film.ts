/** The last part of rendering: clips joined, narration laid under them, the result checked before it counts. */
import { readFile, symlink, writeFile } from 'node:fs/promises'
import { AppError } from '../../lib/errors.ts'
import { parseWav, SPEECH_RATE, writeTrack } from '../../providers/builtin/wav.ts'
import { concatList, filmArgs } from '../../providers/ffmpeg/film.ts'
import type { Work } from '../../providers/provider.ts'
import type { StageContext } from '../define.ts'
import { sizeOf } from '../film/frame.ts'
import { charsPerRow, cuesOf, srt } from '../film/subtitles.ts'
import { type FilmPlan, FPS, type PlannedLine } from './plan.ts'
import type { VideoResults } from './results.ts'
import type { VideoInput } from './schema.ts'

export type FilmParts = {
  context: StageContext<VideoInput>
  work: Work
  plan: FilmPlan
  title: string
  /** Artifact names, in order. */
  clips: string[]
}

export type MadeFilm = { video: string; subtitles: string; duration_s: number }

export async function joinFilm(parts: FilmParts): Promise<MadeFilm> {
  const { context, work, plan } = parts
  const { artifacts, providers } = context
  const names = parts.clips.map((_, index) => `join-${index}.mp4`)
  await Promise.all(parts.clips.map((clip, index) => symlink(artifacts.path(clip), artifacts.workPath(names[index]!))))
  await writeFile(artifacts.workPath('clips.txt'), concatList(names))
  await writeNarration(parts, artifacts.workPath('narration.wav'))
  const args = filmArgs({
    list: 'clips.txt',
    narration: 'narration.wav',
    loudness: await providers.ffmpeg.loudness('narration.wav', work),
    frames: plan.frames,
    fps: FPS,
    title: parts.title,
    comment: commentOf(context.results as VideoResults),
    out: 'film.part.mp4',
  })
  await providers.ffmpeg.run(args, work)
  const path = artifacts.workPath('film.part.mp4')
  const facts = await providers.ffmpeg.check(
    path,
    { ...sizeOf(context.input), frames: plan.frames, fps: FPS, audio: true },
    work,
  )
  await artifacts.put('video.mp4', { path }, 'video/mp4')
  await artifacts.put('video.srt', { data: srtOf(parts) }, 'application/x-subrip')
  await artifacts.put('video.check.json', { data: `${JSON.stringify(facts, null, 2)}\n` }, 'application/json')
  return { video: 'video.mp4', subtitles: 'video.srt', duration_s: facts.durationS }
}

/** In the file itself, so that it says how it was made wherever it goes. */
function commentOf({ script, assets }: VideoResults): string {
  const makers = [script.made_by, assets.made_by.pictures, assets.made_by.narration]
  const models = [...new Set(makers.flatMap(({ model }) => model ?? []))]
  return `Made by Showrunner with ${models.length > 0 ? models.join(', ') : 'the builtin provider (no AI model)'}`
}

/** Every line at its planned sample, silence between: no filter graph grows with the film. */
async function writeNarration({ context, plan }: FilmParts, path: string): Promise<void> {
  const lines = plan.shots.flatMap((shot) => shot.lines)
  const sampleRate = await rateOf(context, lines[0]!)
  await writeTrack(
    path,
    { sampleRate, totalSamples: Math.round(plan.durationS * sampleRate) },
    pieces(context, lines, sampleRate),
  )
}

async function* pieces(context: StageContext, lines: readonly PlannedLine[], sampleRate: number) {
  for (const line of lines) {
    const wav = await readLine(context, line)
    if (wav.sampleRate !== sampleRate)
      throw new AppError(
        'invalid_output',
        `${line.narration} has ${wav.sampleRate} samples a second, others ${sampleRate}`,
      )
    yield { at: Math.round(line.startS * sampleRate), samples: wav.samples }
  }
}

async function rateOf(context: StageContext, line: PlannedLine): Promise<number> {
  return (await readLine(context, line)).sampleRate || SPEECH_RATE
}

async function readLine(context: StageContext, line: PlannedLine) {
  return parseWav(await readFile(context.artifacts.path(line.narration)), line.narration)
}

/** All of the text, whether a font can draw it or not. */
function srtOf({ context, plan }: FilmParts): string {
  const perRow = charsPerRow(sizeOf(context.input))
  return srt(plan.shots.flatMap((shot) => shot.lines).flatMap((line) => cuesOf(line, perRow)))
}
