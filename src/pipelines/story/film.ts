/** Stage 5: a camera move over every picture, one remembered clip per shot, joined into one film with its words. */
import { symlink, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { mapLimit } from '../../lib/map-limit.ts'
import { notDrawn } from '../../providers/builtin/drawable.ts'
import { concatList, silentFilmArgs } from '../../providers/ffmpeg/film.ts'
import type { Work } from '../../providers/provider.ts'
import type { StageContext } from '../define.ts'
import { CLIP_NEEDS, type ClipMaking, type FilmShot, frameProgress, makeClip } from '../film/clip.ts'
import { type Frame, sizeOf } from '../film/frame.ts'
import { charsPerRow, cuesOf, srt } from '../film/subtitles.ts'
import { openWork } from '../film/work.ts'
import { givenShots, readInput, resultsOf, shotsOf } from './input.ts'
import { FPS, planStory } from './plan.ts'
import type { FilmResult } from './results.ts'
import { settleMove } from './shots.ts'

/** Joining copies packets: the clips are nearly all of the work. */
const CLIPS_PERCENT = 98

export async function makeFilm(context: StageContext): Promise<FilmResult> {
  const input = readInput(context)
  const { camera_movement, image_generation } = resultsOf(context)
  const given = givenShots(input).map((s) => (s.camera ? { ...s, camera: settleMove(s.camera) } : s))
  const plan = planStory({
    shots: shotsOf(context, input),
    given,
    movements: camera_movement?.movements,
    images: image_generation?.images,
  })
  const work = await openWork(context)
  await context.providers.ffmpeg.require(CLIP_NEEDS, work)
  const frame = image_generation?.frame ?? sizeOf(input)
  const clips = await makeClips(context, { work, frame, ...plan })
  context.emit({ progress: CLIPS_PERCENT, message: 'joining clips' })
  const film = { ...plan, work, frame, clips: clips.map((clip) => clip.artifact) }
  const made = await context.step('film', () => joinFilm(context, film))
  const degraded = [...notDrawn(clips.flatMap((clip) => clip.missing)), 'camera moves over stills, without sound']
  context.credit({ provider: 'builtin', model: null, degraded })
  return { ...made, ...frame, frames: plan.frames, fps: FPS, shots: plan.shots.length }
}

type Clips = { work: Work; frame: Frame; shots: FilmShot[]; frames: number }

async function makeClips(context: StageContext, { work, frame, shots, frames }: Clips) {
  const fonts = await context.providers.fonts(work.folder)
  const onFrames = frameProgress(context, { frames, share: CLIPS_PERCENT })
  const making: ClipMaking = { context, work, fonts, frame, fps: FPS, onFrames }
  return mapLimit(shots, Math.min(4, availableParallelism()), (shot, index) =>
    context.step(`clip-${shot.name}`, () => makeClip(making, shot, shots[index - 1] ?? null)),
  )
}

async function joinFilm(context: StageContext, film: Clips & { clips: string[] }) {
  const { artifacts, providers } = context
  const names = film.clips.map((_, index) => `join-${index}.mp4`)
  await Promise.all(film.clips.map((clip, index) => symlink(artifacts.path(clip), artifacts.workPath(names[index]!))))
  await writeFile(artifacts.workPath('clips.txt'), concatList(names))
  const args = silentFilmArgs({
    list: 'clips.txt',
    frames: film.frames,
    fps: FPS,
    title: context.project.title,
    comment: commentOf(context),
    out: 'film.part.mp4',
  })
  await providers.ffmpeg.run(args, film.work)
  const path = artifacts.workPath('film.part.mp4')
  const expected = { ...film.frame, frames: film.frames, fps: FPS, audio: false }
  const facts = await providers.ffmpeg.check(path, expected, film.work)
  await artifacts.put('story.mp4', { path }, 'video/mp4')
  await artifacts.put('story.check.json', { data: `${JSON.stringify(facts, null, 2)}\n` }, 'application/json')
  return { video: 'story.mp4', subtitles: await putSubtitles(context, film), duration_s: facts.durationS }
}

/** All of the words, whether a font can draw them or not. */
async function putSubtitles({ artifacts }: StageContext, { shots, frame }: Clips): Promise<string | null> {
  const cues = shots.flatMap((shot) => shot.lines).flatMap((line) => cuesOf(line, charsPerRow(frame)))
  if (cues.length === 0) return null
  await artifacts.put('story.srt', { data: srt(cues) }, 'application/x-subrip')
  return 'story.srt'
}

/** Says in the file itself who made what it shows. */
function commentOf(context: StageContext): string {
  const { storyboard, image_generation } = resultsOf(context)
  const name = (by: { provider: string; model: string | null } | undefined) =>
    by === undefined ? 'the user' : by.model === null ? `${by.provider} (no AI model)` : `${by.provider} (${by.model})`
  return `Made by Showrunner; storyboard: ${name(storyboard)}; pictures: ${name(image_generation)}`
}
