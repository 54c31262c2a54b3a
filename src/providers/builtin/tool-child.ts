/**
 * Entry of the child that analyses texts and draws cards, so that no worker's event loop stands still.
 * One JSON request per line on standard input, one JSON answer per line on standard output.
 */
import { createInterface } from 'node:readline'
import { toAppError } from '../../lib/errors.ts'
import { type Answer, encodeLine, type Request } from './tool-protocol.ts'

const METHODS: Record<Request['method'], (params: never) => Promise<unknown>> = {
  // Loaded on first use: drawing needs no language model, and analysis needs no picture library.
  write_script: async (brief) => (await import('./analysis.ts')).writeScript(brief),
  edit_story: async (text) => (await import('./story-edit.ts')).editStory(text),
  board_story: async (brief) => (await import('./story-board.ts')).boardStory(brief),
  move_camera: async (texts) => (await import('./story-moves.ts')).moveCamera(texts),
  draw_card: async (card) => (await import('./card.ts')).drawCard(card),
}

const requests = createInterface({ input: process.stdin })
requests.on('line', (line) => void answer(JSON.parse(line) as Request))
// Our parent closes the pipe when it has no more work, and the kernel does when it is gone.
requests.on('close', () => process.exit(0))

async function answer({ id, method, params }: Request): Promise<void> {
  try {
    send({ id, result: await METHODS[method](params as never) })
  } catch (error) {
    const { code, message } = toAppError(error)
    send({ id, error: { code, message } })
  }
}

function send(message: Answer): void {
  process.stdout.write(encodeLine(message))
}
