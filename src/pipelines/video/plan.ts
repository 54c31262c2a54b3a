/** When everything happens in the film: decided from the real lengths of the spoken lines, in whole frames. */
import type { CameraMove } from '../../providers/provider.ts'
import type { ShotAssets, SpokenLine } from './results.ts'

export const FPS = 25

export type PlannedLine = { name: string; text: string; narration: string; startS: number; endS: number }

export type PlannedShot = {
  name: string
  picture: string
  camera: CameraMove
  /** Where the shot begins in the film, and how many frames are its own. */
  startFrame: number
  frames: number
  /** Frames after its own in which the next shot fades in over it; 0 for the last shot. */
  fadeFrames: number
  lines: PlannedLine[]
}

export type FilmPlan = { shots: PlannedShot[]; frames: number; durationS: number; droppedLines: number }

/** The picture has settled before the voice begins, and the voice has ended before it leaves. */
const LEAD_S = 0.4
const BREATH_S = 0.3
const TAIL_S = 0.3
const END_S = 0.9
const FADE_FRAMES = 10

/** A plan of at most `maxS` seconds; the lines of least weight are left out until it fits, but never all. */
export function planFilm(shots: readonly ShotAssets[], maxS: number): FilmPlan {
  const kept = fit(shots, maxS)
  const planned: PlannedShot[] = []
  let startFrame = 0
  for (const [index, shot] of kept.entries()) {
    const last = index === kept.length - 1
    const frames = Math.ceil(lengthOf(shot, last) * FPS)
    planned.push({
      name: shot.name,
      picture: shot.picture,
      camera: shot.camera,
      startFrame,
      frames,
      fadeFrames: last ? 0 : FADE_FRAMES,
      lines: placeLines(shot, startFrame / FPS),
    })
    startFrame += frames
  }
  const droppedLines = lineCount(shots) - lineCount(kept)
  return { shots: planned, frames: startFrame, durationS: startFrame / FPS, droppedLines }
}

/** Lines in the order of the film, one after the other. */
function placeLines(shot: ShotAssets, shotStartS: number): PlannedLine[] {
  let startS = shotStartS + LEAD_S
  return shot.lines.map(({ name, text, narration, duration_s }) => {
    const line = { name, text, narration, startS, endS: startS + duration_s }
    startS = line.endS + BREATH_S
    return line
  })
}

function lengthOf(shot: ShotAssets, last: boolean): number {
  const spokenS = shot.lines.reduce((sum, line) => sum + line.duration_s, 0)
  return LEAD_S + spokenS + BREATH_S * (shot.lines.length - 1) + (last ? END_S : TAIL_S)
}

/** One pass over the lightest lines: each that is left out brings the film nearer to its limit. */
function fit(shots: readonly ShotAssets[], maxS: number): ShotAssets[] {
  let kept = [...shots]
  const lightest = shots
    .flatMap((shot) => shot.lines)
    .toSorted((a, b) => a.weight - b.weight || b.duration_s - a.duration_s)
  for (const line of lightest) {
    if (filmS(kept) <= maxS || lineCount(kept) === 1) break
    kept = without(kept, line)
  }
  return kept
}

function filmS(shots: readonly ShotAssets[]): number {
  const frames = shots.map((shot, index) => Math.ceil(lengthOf(shot, index === shots.length - 1) * FPS))
  return frames.reduce((sum, n) => sum + n, 0) / FPS
}

function without(shots: readonly ShotAssets[], line: SpokenLine): ShotAssets[] {
  return shots
    .map((shot) => ({ ...shot, lines: shot.lines.filter(({ name }) => name !== line.name) }))
    .filter((shot) => shot.lines.length > 0)
}

function lineCount(shots: readonly ShotAssets[]): number {
  return shots.reduce((sum, shot) => sum + shot.lines.length, 0)
}
