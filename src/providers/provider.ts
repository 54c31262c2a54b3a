/** The small contracts of the outside world; `pick.ts` is the only place that chooses between them. */

/** What a call cost; null where the provider does not say. */
export type Usage = { input_tokens: number; output_tokens: number; cost_usd: number | null }

/** Said by everything that a provider makes. `degraded` names in plain words what is less than it could be. */
export type Provenance = { provider: string; model: string | null; degraded: string[] }

/** What a provider needs of the stage that calls it. `folder` is the attempt's own; `nice` is for subprocesses. */
export type Work = { folder: string; signal: AbortSignal; nice: number }

export const CAMERA_MOVES = ['static', 'pan_left', 'pan_right', 'tilt_up', 'tilt_down', 'zoom_in', 'zoom_out'] as const
export type CameraMove = (typeof CAMERA_MOVES)[number]

/** One spoken line; `weight` says how much the film would lose without it (higher is more). */
export type Line = { name: string; text: string; weight: number }

export type Shot = { name: string; headline: string; camera: CameraMove; lines: Line[] }

/** `language` is BCP 47 (`und` when unknown), `writing` a Unicode script name such as `Latin`. */
export type Script = { title: string; language: string; writing: string; shots: Shot[]; left_out: number }

export type ScriptBrief = { text: string; title: string | null; targetS: number }

export type ScriptWriter = { write(brief: ScriptBrief, work: Work): Promise<Script & Provenance> }

/** A picture to make: `scene` is text that decides what it looks like, `headline` is drawn on it. */
export type PictureBrief = {
  path: string
  format: 'png' | 'jpeg'
  width: number
  height: number
  headline: string
  label: string
  scene: string
}

/** One open source of pictures; `dispose` ends whatever it runs. */
export type Artist = AsyncDisposable & { draw(brief: PictureBrief): Promise<Provenance> }

export type ImageProvider = { open(work: Work): Promise<Artist> }

/** A wished voice, or null for the one that fits the language. */
export type VoiceWish = { voice: string | null; language: string; writing: string }

/** `audible` is false when the file holds silence in place of the words. */
export type Spoken = { durationS: number; audible: boolean }

/** One opened voice. `speak` writes a mono 16-bit WAV file; `silent` says that its files hold none of the words. */
export type Narrator = {
  engine: string
  voice: string | null
  silent: boolean
  provenance: Provenance
  speak(text: string, path: string): Promise<Spoken>
}

export type SpeechProvider = { open(wish: VoiceWish, work: Work): Promise<Narrator> }
