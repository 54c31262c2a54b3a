/** What the stages of the story pipeline leave for one another. Artifacts are named, never located. */
import type { Movement } from '../../providers/builtin/story.ts'
import type { Frame } from '../film/frame.ts'
import type { StoryShot } from './shots.ts'

/** Who made a result, said in the result itself, because it is read without its stage too. */
export type MadeBy = { provider: string; model: string | null; degraded: string[] }

export type RewriteResult = MadeBy & { text: string; method: 'extractive' | 'model' }

export type StoryboardResult = MadeBy & { shots: StoryShot[]; method: 'extractive' | 'model' }

export type ShotMovement = Movement & { shot: string }

export type MovementResult = MadeBy & { movements: ShotMovement[]; method: 'rules' | 'model' }

export type ShotImage = { shot: string; picture: string }

/** `frame` is the size of the film that the pictures were made for. */
export type ImagesResult = MadeBy & { images: ShotImage[]; frame: Frame }

export type FilmResult = {
  video: string
  /** Null when nothing is said in the whole film. */
  subtitles: string | null
  duration_s: number
  width: number
  height: number
  frames: number
  fps: number
  shots: number
}

export type StoryResults = {
  rewrite?: RewriteResult
  storyboard?: StoryboardResult
  camera_movement?: MovementResult
  image_generation?: ImagesResult
}
