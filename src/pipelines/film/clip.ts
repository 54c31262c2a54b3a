/** One shot's clip: a camera move over a still, the crossfade from the shot before, and the words burned in. */
import { symlink, writeFile } from 'node:fs/promises'
import { FONT_FAMILY, type Fonts } from '../../providers/builtin/fonts.ts'
import type { CameraFeel } from '../../providers/ffmpeg/camera.ts'
import { type ClipShot, clipArgs } from '../../providers/ffmpeg/clip.ts'
import type { CameraMove, Work } from '../../providers/provider.ts'
import type { StageContext } from '../define.ts'
import type { Frame } from './frame.ts'
import { ass, charsPerRow, cuesOf, type TimedLine } from './subtitles.ts'

/** The filters and encoders without which no clip can be made. */
export const CLIP_NEEDS = { filters: ['zoompan', 'xfade', 'ass'], encoders: ['libx264'] }

export type FilmShot = CameraFeel & {
  name: string
  /** The artifact that holds the still. */
  picture: string
  camera: CameraMove
  /** Where the shot begins in the film, and how many frames are its own. */
  startFrame: number
  frames: number
  /** Frames after its own in which the next shot fades in over it; 0 for the last shot. */
  fadeFrames: number
  lines: TimedLine[]
}

export type ClipMaking = {
  context: StageContext
  work: Work
  fonts: Fonts
  frame: Frame
  fps: number
  onFrames: (shot: string, frames: number) => void
}

/** `missing` names the scripts of words that no font can draw. */
export type MadeClip = { artifact: string; missing: string[] }

export async function makeClip(making: ClipMaking, shot: FilmShot, before: FilmShot | null): Promise<MadeClip> {
  const { context, work, fonts, frame, fps } = making
  await linkPictures(context, shot, before)
  const burned = await writeSubtitles(making, shot)
  const artifact = `clip-${shot.name}.mp4`
  const part = `${shot.name}.part.mp4`
  const args = clipArgs({
    shot: clipShot(shot, shot),
    before: before && clipShot(before, shot),
    fadeFrames: before?.fadeFrames ?? 0,
    ...frame,
    fps,
    subtitles: burned.file === null ? null : { file: burned.file, fonts: fonts.folder },
    out: part,
  })
  const env = { FONTCONFIG_FILE: fonts.configFile }
  await context.providers.ffmpeg.run(args, work, { env, onFrames: (frames) => making.onFrames(shot.name, frames) })
  const path = context.artifacts.workPath(part)
  await context.providers.ffmpeg.check(path, { ...frame, frames: shot.frames, fps, audio: false }, work)
  await context.artifacts.put(artifact, { path }, 'video/mp4')
  making.onFrames(shot.name, shot.frames)
  return { artifact, missing: burned.missing }
}

/** Clips run side by side: what counts is how many frames all of them have done, of `share` percent of the stage. */
export function frameProgress(context: StageContext, film: { frames: number; share: number }): ClipMaking['onFrames'] {
  const done = new Map<string, number>()
  return (shot, frames) => {
    done.set(shot, frames)
    const sum = [...done.values()].reduce((a, b) => a + b, 0)
    const progress = Math.min(film.share, Math.floor((film.share * sum) / film.frames))
    context.emit({ progress, message: `frame ${sum} of ${film.frames}` })
  }
}

/** Inputs are linked beside the command, under plain names of this clip's own. */
async function linkPictures({ artifacts }: StageContext, shot: FilmShot, before: FilmShot | null): Promise<void> {
  const link = (s: FilmShot) => symlink(artifacts.path(s.picture), artifacts.workPath(pictureName(s, shot)))
  await Promise.all([shot, before].map((s) => s && link(s)))
}

function clipShot(shot: FilmShot, clip: FilmShot): ClipShot {
  return {
    picture: pictureName(shot, clip),
    move: shot.camera,
    amount: shot.amount,
    easing: shot.easing,
    ownFrames: shot.frames,
    totalFrames: shot.frames + shot.fadeFrames,
  }
}

function pictureName(shot: FilmShot, clip: FilmShot): string {
  return `${clip.name}-of-${shot.name}.png`
}

async function writeSubtitles(
  { context, fonts, frame, fps }: ClipMaking,
  shot: FilmShot,
): Promise<{ file: string | null; missing: string[] }> {
  const cues = shot.lines.flatMap((line) => cuesOf(line, charsPerRow(frame)))
  const burned = ass(cues, frame, { family: FONT_FAMILY, offsetS: shot.startFrame / fps, covers: fonts.covers })
  if (burned.ass === null) return { file: null, missing: burned.missing }
  const file = `${shot.name}.ass`
  await writeFile(context.artifacts.workPath(file), burned.ass)
  return { file, missing: burned.missing }
}
