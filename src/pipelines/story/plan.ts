/** When every shot begins and ends, in whole frames, and when its words are read. Pure. */
import { AppError } from '../../lib/errors.ts'
import type { FilmShot } from '../film/clip.ts'
import type { MovementResult, ShotImage, ShotMovement } from './results.ts'
import type { GivenShot } from './schema.ts'
import type { StoryShot } from './shots.ts'

export const FPS = 25
const FADE_FRAMES = 10
/** The picture has settled before words stand on it, and they are gone before it leaves. */
const LEAD_S = 0.3
const TAIL_S = 0.1

export type FilmParts = {
  shots: readonly StoryShot[]
  /** Shots of the stage's own input: a camera given there wins. */
  given: readonly GivenShot[]
  movements: MovementResult['movements'] | undefined
  images: readonly ShotImage[] | undefined
}

/** Throws `invalid_value` with every shot that has no picture or no movement. */
export function planStory(parts: FilmParts): { shots: FilmShot[]; frames: number } {
  const problems: string[] = []
  const need = <T>(found: T | undefined, shot: StoryShot, what: string) => {
    if (found === undefined) problems.push(`${shot.name} has no ${what}`)
    return found
  }
  let startFrame = 0
  const shots = parts.shots.flatMap((shot, index) => {
    const image = need(
      parts.images?.find((i) => i.shot === shot.name),
      shot,
      'picture (run image_generation)',
    )
    const camera = need(cameraOf(parts, shot, index), shot, 'camera (run camera_movement)')
    if (!image || !camera) return []
    const timed = timedShot(shot, { startFrame, isLast: index === parts.shots.length - 1 })
    startFrame += timed.frames
    const { move, amount, easing } = camera
    return [{ ...timed, picture: image.picture, camera: move, amount, easing }]
  })
  if (problems.length > 0) throw new AppError('invalid_value', `The film cannot be made: ${problems.join('; ')}`)
  return { shots, frames: startFrame }
}

function cameraOf(parts: FilmParts, shot: StoryShot, index: number): Omit<ShotMovement, 'shot'> | undefined {
  return parts.given[index]?.camera ?? parts.movements?.find((m) => m.shot === shot.name)
}

function timedShot(shot: StoryShot, { startFrame, isLast }: { startFrame: number; isLast: boolean }) {
  const frames = Math.round(shot.duration_s * FPS)
  const startS = startFrame / FPS + LEAD_S
  const endS = (startFrame + frames) / FPS - TAIL_S
  const lines = shot.dialogue === null ? [] : [{ text: shot.dialogue.replace(/\s+/g, ' '), startS, endS }]
  return { name: shot.name, startFrame, frames, fadeFrames: isLast ? 0 : FADE_FRAMES, lines }
}
