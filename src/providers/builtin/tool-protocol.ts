/** What the drawing and analysing child is asked, and how it answers. */
import type { ErrorCode } from '../../lib/errors.ts'
import type { PictureBrief, Script, ScriptBrief } from '../provider.ts'
import type { Board, BoardBrief, EditedStory, Movement } from './story.ts'

export type Methods = {
  write_script: { params: ScriptBrief; result: Script }
  edit_story: { params: string; result: EditedStory }
  board_story: { params: BoardBrief; result: Board }
  move_camera: { params: string[]; result: Movement[] }
  draw_card: { params: PictureBrief; result: undefined }
}

export type Request = { [M in keyof Methods]: { id: number; method: M; params: Methods[M]['params'] } }[keyof Methods]

export type Answer = { id: number; result?: unknown; error?: { code: ErrorCode; message: string } }

/** One line of JSON. readline also ends lines at U+2028 and U+2029, which JSON leaves as they are. */
export function encodeLine(message: Request | Answer): string {
  return `${JSON.stringify(message).replace(/[\u2028\u2029]/g, (c) => (c === '\u2028' ? '\\u2028' : '\\u2029'))}\n`
}
