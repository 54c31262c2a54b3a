/** What story work without a model gives: the author's own text, edited, cut into shots, with camera moves. */
import type { CameraFeel } from '../ffmpeg/camera.ts'
import type { CameraMove } from '../provider.ts'

/** `pieces` joined are the edited text; each is one sentence with the white space or scene break before it. */
export type EditedStory = { pieces: string[]; repeated: number; tightened: number; scenes: number }

/** `exact` also splits shots to reach the wanted number; without it `shots` is only the most there may be. */
export type BoardBrief = { text: string; shots: number; exact: boolean }

export type BoardShot = { description: string; dialogue: string; duration_s: number }

/** `left_out` counts the sentences that no shot speaks. */
export type Board = { shots: BoardShot[]; left_out: number }

export type Movement = Required<CameraFeel> & { move: CameraMove }
