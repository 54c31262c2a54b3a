/** The command line of the whole film: joined clips, one narration track, even loudness. */
import { BIT_EXACT, QUIET, seconds } from './clip.ts'

export type Film = {
  /** A concat list beside the command, see `concatList`. */
  list: string
  narration: string
  /** Loudness is measured in gated speech: a track without any must not be normalised. */
  silent: boolean
  frames: number
  fps: number
  title: string
  comment: string
  out: string
}

/** EBU R128 for the web: -16 LUFS, true peak at most -1.5 dB. */
const LOUDNESS = 'loudnorm=I=-16:TP=-1.5:LRA=11'

export function filmArgs(film: Film): string[] {
  return [
    ...QUIET,
    ...['-f', 'concat', '-safe', '1', '-i', film.list, '-i', film.narration],
    ...['-map', '0:v', '-map', '1:a', '-c:v', 'copy', '-filter:a', audioFilter(film)],
    ...['-c:a', 'aac', '-b:a', '160k', '-t', seconds(film.frames, film.fps)],
    ...BIT_EXACT,
    ...['-metadata', `title=${film.title}`, '-metadata', `comment=${film.comment}`],
    ...['-movflags', '+faststart', '-f', 'mp4', '-y', film.out],
  ]
}

/** The text of a concat list; names are our own and plain. */
export function concatList(files: readonly string[]): string {
  return `ffconcat version 1.0\n${files.map((file) => `file ${file}\n`).join('')}`
}

/** loudnorm leaves 192 kHz and an open layout behind; without the two last filters FFmpeg 5.1 refuses them. */
function audioFilter(film: Film): string {
  const even = film.silent ? [] : [LOUDNESS]
  return ['aresample=48000', ...even, 'aresample=48000', 'aformat=sample_fmts=fltp:channel_layouts=stereo', 'apad'].join(',')
}
