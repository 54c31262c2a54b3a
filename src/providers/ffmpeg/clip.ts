/** The command line of one shot's clip: camera move, crossfade from the shot before, subtitles. */
import type { CameraMove } from '../provider.ts'
import { type CameraFeel, cameraFilter } from './camera.ts'

export type ClipShot = CameraFeel & { picture: string; move: CameraMove; ownFrames: number; totalFrames: number }

export type Clip = {
  shot: ClipShot
  /** The shot before, whose last frames are faded out over the first `fadeFrames` of this clip. */
  before: ClipShot | null
  fadeFrames: number
  width: number
  height: number
  fps: number
  /** An ASS file beside the command, and the folder of its fonts; null when nothing is drawn. */
  subtitles: { file: string; fonts: string } | null
  out: string
}

/**
 * All files are plain names inside the command's working folder, so that nothing needs escaping.
 * Transition and subtitles are part of the clip: joining clips then copies packets, every frame is
 * encoded once, and memory does not grow with the length of the film.
 */
export function clipArgs(clip: Clip): string[] {
  const inputs = clip.before ? [clip.shot.picture, clip.before.picture] : [clip.shot.picture]
  return [
    ...QUIET,
    ...inputs.flatMap((file) => ['-i', file]),
    '-filter_complex',
    clipGraph(clip),
    '-map',
    '[out]',
    '-frames:v',
    String(clip.shot.ownFrames),
    ...ENCODE_VIDEO,
    ...BIT_EXACT,
    '-f',
    'mp4',
    '-y',
    clip.out,
  ]
}

/** Errors only on stderr, progress on stdout, one thread per clip: clips themselves run side by side. */
export const QUIET = ['-nostdin', '-hide_banner', '-v', 'error', '-progress', 'pipe:1', '-stats_period', '0.5']

/** Nothing of the machine or the hour may get into a file: same input, same bytes. */
export const BIT_EXACT = [
  '-map_metadata',
  '-1',
  '-fflags',
  '+bitexact',
  '-flags:v',
  '+bitexact',
  '-flags:a',
  '+bitexact',
]

/** No B-frames: decode order is display order, so that joined clips need no edit lists at their seams. */
const ENCODE_VIDEO = [
  ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '21', '-profile:v', 'high', '-bf', '0'],
  ...['-threads', '1', '-filter_complex_threads', '1', '-pix_fmt', 'yuv420p', '-video_track_timescale', '90000'],
]

function clipGraph(clip: Clip): string {
  const { shot, before, subtitles } = clip
  const parts = [`[0:v]${move(clip, shot, { from: 0, frames: shot.ownFrames })}[scene]`]
  let last = '[scene]'
  if (before) {
    parts.push(`[1:v]${move(clip, before, { from: before.ownFrames, frames: clip.fadeFrames })}[before]`)
    parts.push(`[before]${last}xfade=transition=fade:duration=${seconds(clip.fadeFrames, clip.fps)}:offset=0[faded]`)
    last = '[faded]'
  }
  const burn = subtitles ? `ass=${subtitles.file}:fontsdir=${subtitles.fonts},` : ''
  parts.push(`${last}${burn}format=yuv420p[out]`)
  return parts.join(';')
}

function move(clip: Clip, shot: ClipShot, part: { from: number; frames: number }): string {
  const { width, height, fps } = clip
  const { amount, easing, totalFrames } = shot
  return cameraFilter({ move: shot.move, amount, easing, totalFrames, ...part, width, height, fps })
}

/** Frames as seconds with microsecond digits. */
export function seconds(frames: number, fps: number): string {
  return (frames / fps).toFixed(6)
}
