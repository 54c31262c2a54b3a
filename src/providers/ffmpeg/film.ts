/** The command line of the whole film: joined clips, one narration track, even loudness. */
import { BIT_EXACT, QUIET, seconds } from './clip.ts'

export type SilentFilm = {
  /** A concat list beside the command, see `concatList`. */
  list: string
  frames: number
  fps: number
  title: string
  comment: string
  out: string
}

export type Film = SilentFilm & {
  narration: string
  /** Of the narration, in LUFS (see `loudnessArgs`); null for a track without speech, which stays as it is. */
  loudness: number | null
}

/** EBU R128 for the web, in LUFS. */
const TARGET_LUFS = -16

export function filmArgs(film: Film): string[] {
  return [
    ...QUIET,
    ...['-f', 'concat', '-safe', '1', '-i', film.list, '-i', film.narration],
    ...['-map', '0:v', '-map', '1:a', '-c:v', 'copy', '-filter:a', audioFilter(film)],
    ...['-c:a', 'aac', '-b:a', '160k'],
    ...fileArgs(film),
  ]
}

/** The clips alone: nothing is encoded anew. */
export function silentFilmArgs(film: SilentFilm): string[] {
  return [
    ...QUIET,
    ...['-f', 'concat', '-safe', '1', '-i', film.list],
    ...['-map', '0:v', '-c:v', 'copy'],
    ...fileArgs(film),
  ]
}

/** The first of two passes: measures the whole track, so that one gain can be applied to all, without pumping. */
export function loudnessArgs(narration: string): string[] {
  const quiet = ['-nostdin', '-hide_banner', '-nostats', '-v', 'info']
  return [...quiet, '-i', narration, '-af', `${STEREO},loudnorm=print_format=json`, '-f', 'null', '-']
}

/** Reads LUFS from the JSON at the end of that pass's log; null when there was no speech to measure (-inf). */
export function parseLoudness(log: string): number | null {
  const json = log.slice(log.lastIndexOf('{'), log.lastIndexOf('}') + 1)
  const { input_i } = JSON.parse(json) as { input_i: string }
  return Number.isFinite(Number(input_i)) ? Number(input_i) : null
}

/** The text of a concat list; names are our own and plain. */
export function concatList(files: readonly string[]): string {
  return `ffconcat version 1.0\n${files.map((file) => `file ${file}\n`).join('')}`
}

function fileArgs(film: SilentFilm): string[] {
  return [
    ...['-t', seconds(film.frames, film.fps)],
    ...BIT_EXACT,
    ...['-metadata', `title=${film.title}`, '-metadata', `comment=${film.comment}`],
    ...['-movflags', '+faststart', '-f', 'mp4', '-y', film.out],
  ]
}

/**
 * loudnorm's own second pass stays a decibel below its target on speech with sharp peaks (measured),
 * because it turns everything down for them; one gain and a limiter at -1.9 dB reach it.
 */
function audioFilter({ loudness }: Film): string {
  const gain = loudness === null ? [] : [`volume=${(TARGET_LUFS - loudness).toFixed(2)}dB`, LIMITER]
  return [STEREO, ...gain, 'aformat=sample_fmts=fltp:channel_layouts=stereo', 'apad'].join(',')
}

/** One voice in both channels, at full level: what is measured is what will be heard. */
const STEREO = 'aresample=48000,pan=stereo|c0=c0|c1=c0'
const LIMITER = 'alimiter=limit=0.8:attack=1:release=50:level=false'
