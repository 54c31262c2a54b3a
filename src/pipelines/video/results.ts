/** What the stages of the video pipeline leave for one another. Artifacts are named, never located. */
import type { CameraMove, Script } from '../../providers/provider.ts'

/** Who made something; a null model is no model. */
export type Maker = { provider: string; model: string | null }

/** `extractive`: every sentence stands in the text. `model`: a model wrote them. */
export type ScriptResult = Script & { method: 'extractive' | 'model'; made_by: Maker }

export type SpokenLine = { name: string; text: string; weight: number; narration: string; duration_s: number }

export type ShotAssets = { name: string; headline: string; camera: CameraMove; picture: string; lines: SpokenLine[] }

export type AssetsResult = {
  shots: ShotAssets[]
  voice: string | null
  engine: string
  silent: boolean
  made_by: { pictures: Maker; narration: Maker }
}

export type RenderResult = {
  video: string
  subtitles: string
  duration_s: number
  width: number
  height: number
  frames: number
  fps: number
  shots: number
  /** Lines that did not fit into the wanted duration once they had been spoken. */
  dropped_lines: number
}

export type ThumbnailResult = { thumbnail: string }

export type VideoResults = {
  script: ScriptResult
  assets: AssetsResult
  render: RenderResult
  thumbnail: ThumbnailResult
}

export type UploadResult = { target: 'local'; message: string; files: string[] }
