/** Stage 3: the film. One clip per shot, each a remembered step, then everything joined. */
import { symlink, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { mapLimit } from '../../lib/map-limit.ts'
import { notDrawn } from '../../providers/builtin/drawable.ts'
import { FONT_FAMILY, type Fonts } from '../../providers/builtin/fonts.ts'
import { type ClipShot, clipArgs } from '../../providers/ffmpeg/clip.ts'
import type { Work } from '../../providers/provider.ts'
import type { StageContext } from '../define.ts'
import { joinFilm } from './film.ts'
import { sizeOf } from './input.ts'
import { type FilmPlan, FPS, type PlannedShot, planFilm } from './plan.ts'
import type { AssetsResult, RenderResult, ScriptResult } from './results.ts'
import type { VideoInput } from './schema.ts'
import { ass, charsPerRow, cuesOf } from './subtitles.ts'
import { openWork } from './work.ts'

/** Joining copies pictures and encodes only sound: the clips are nearly all of the work. */
const CLIPS_PERCENT = 94

const NEEDED = { filters: ['zoompan', 'xfade', 'ass', 'loudnorm', 'alimiter'], encoders: ['libx264', 'aac'] }

type Rendering = {
  context: StageContext<VideoInput>
  work: Work
  plan: FilmPlan
  fonts: Fonts
  onFrames: (shot: string, frames: number) => void
}
type MadeClip = { artifact: string; missing: string[] }

export async function renderFilm(context: StageContext<VideoInput>): Promise<RenderResult> {
  const work = await openWork(context)
  await context.providers.ffmpeg.require(NEEDED, work)
  const script = context.results.script as ScriptResult
  const assets = context.results.assets as AssetsResult
  const plan = planFilm(assets.shots, context.input.max_duration_s)
  const fonts = await context.providers.fonts(work.folder)
  const rendering: Rendering = { context, work, plan, fonts, onFrames: frameProgress(context, plan) }
  const lanes = Math.min(4, availableParallelism())
  const clips = await mapLimit(plan.shots, lanes, (shot, index) =>
    context.step(`clip-${shot.name}`, () => makeClip(rendering, shot, index)),
  )
  context.emit({ progress: CLIPS_PERCENT, message: 'joining clips and narration' })
  const degraded = [
    ...notDrawn(clips.flatMap((clip) => clip.missing)),
    ...(assets.silent ? ['the film has no narration'] : []),
  ]
  const made = await context.step('film', () =>
    joinFilm({ context, work, plan, title: script.title, clips: clips.map((clip) => clip.artifact) }),
  )
  context.credit({ provider: 'builtin', model: null, degraded })
  return {
    ...made,
    ...sizeOf(context.input),
    frames: plan.frames,
    fps: FPS,
    shots: plan.shots.length,
    dropped_lines: plan.droppedLines,
  }
}

async function makeClip(rendering: Rendering, shot: PlannedShot, index: number): Promise<MadeClip> {
  const { context, work, plan, fonts } = rendering
  const before = plan.shots[index - 1] ?? null
  const frame = sizeOf(context.input)
  await Promise.all(
    [shot, before].map(
      (s) =>
        s && symlink(context.artifacts.path(s.picture), context.artifacts.workPath(`${shot.name}-of-${s.name}.png`)),
    ),
  )
  const burned = await writeSubtitles(rendering, shot)
  const name = `clip-${shot.name}.mp4`
  const part = `${shot.name}.part.mp4`
  const args = clipArgs({
    shot: clipShot(shot, shot),
    before: before && clipShot(before, shot),
    fadeFrames: before?.fadeFrames ?? 0,
    ...frame,
    fps: FPS,
    subtitles: burned.file === null ? null : { file: burned.file, fonts: fonts.folder },
    out: part,
  })
  const env = { FONTCONFIG_FILE: fonts.configFile }
  await context.providers.ffmpeg.run(args, work, { env, onFrames: (frames) => rendering.onFrames(shot.name, frames) })
  const path = context.artifacts.workPath(part)
  await context.providers.ffmpeg.check(path, { ...frame, frames: shot.frames, fps: FPS, audio: false }, work)
  await context.artifacts.put(name, { path }, 'video/mp4')
  rendering.onFrames(shot.name, shot.frames)
  return { artifact: name, missing: burned.missing }
}

/** Inputs are linked beside the command, under plain names of this clip's own. */
function clipShot(shot: PlannedShot, clip: PlannedShot): ClipShot {
  return {
    picture: `${clip.name}-of-${shot.name}.png`,
    move: shot.camera,
    ownFrames: shot.frames,
    totalFrames: shot.frames + shot.fadeFrames,
  }
}

async function writeSubtitles(
  { context, fonts }: Rendering,
  shot: PlannedShot,
): Promise<{ file: string | null; missing: string[] }> {
  const frame = sizeOf(context.input)
  const cues = shot.lines.flatMap((line) => cuesOf(line, charsPerRow(frame)))
  const burned = ass(cues, frame, { family: FONT_FAMILY, offsetS: shot.startFrame / FPS, covers: fonts.covers })
  if (burned.ass === null) return { file: null, missing: burned.missing }
  const file = `${shot.name}.ass`
  await writeFile(context.artifacts.workPath(file), burned.ass)
  return { file, missing: burned.missing }
}

/** Clips run side by side: what counts is how many frames all of them have done. */
function frameProgress(context: StageContext, plan: FilmPlan): (shot: string, frames: number) => void {
  const done = new Map<string, number>()
  return (shot, frames) => {
    done.set(shot, frames)
    const sum = [...done.values()].reduce((a, b) => a + b, 0)
    const progress = Math.min(CLIPS_PERCENT, Math.floor((CLIPS_PERCENT * sum) / plan.frames))
    context.emit({ progress, message: `frame ${sum} of ${plan.frames}` })
  }
}
