/** Story work without a model, done in a child process so that no worker's event loop stands still. */
import type { Work } from '../provider.ts'
import type { Board, BoardBrief, EditedStory, Movement } from './story.ts'
import { openTool } from './tool-client.ts'

export type StoryEditor = AsyncDisposable & {
  edit(text: string): Promise<EditedStory>
  board(brief: BoardBrief): Promise<Board>
  move(texts: string[]): Promise<Movement[]>
}

/** One child does all the analysis of an opening. */
export function openStoryEditor(work: Work): StoryEditor {
  const tool = openTool(work)
  return {
    edit: (text) => tool.call('edit_story', text),
    board: (brief) => tool.call('board_story', brief),
    move: (texts) => tool.call('move_camera', texts),
    [Symbol.asyncDispose]: () => tool[Symbol.asyncDispose](),
  }
}
