/** Shows a project's progress: one line that is drawn over on a terminal, else a line for each change; texts on request. */
import type { Project } from '../api/schemas/project.ts'
import { printable, printableLines } from '../lib/columns.ts'
import type { LiveMessage, Progress as ProgressMessage, Token } from '../stream/events.ts'
import type { Output } from './output.ts'
import { nowText, statusWord } from './project-text.ts'
import { barText } from './text.ts'

export type Progress = {
  show(state: Project): void
  /** A live message: it comes before the state that it is about. */
  hear(message: LiveMessage): void
  /** Clears what was drawn. */
  end(): void
}

/** `texts`: what stages write is shown as it is written, in place of the bar. */
export function createProgress(out: Output, texts = false): Progress {
  const seen = new Map<string, string>()
  const writer = createWriter(out)
  let percent = 0
  const draw = (words: string) => {
    if (!texts) out.draw(`${barText(percent)}  ${printable(words)}`)
  }
  return {
    show(state) {
      for (const stage of state.stages) {
        const word = statusWord(stage)
        const isNews = word !== 'pending' && word !== (seen.get(stage.name) ?? 'pending')
        seen.set(stage.name, word)
        if (isNews && (!out.interactive || SHOWN.has(stage.status))) {
          out.draw('')
          writer.endLine()
          out.say(printable(`${stage.name}: ${word}`))
        }
      }
      percent = state.progress
      draw(nowText(state))
    },
    hear(message) {
      if (message.type === 'progress') draw(`${message.stage}: ${itemText(message)}`)
      else if (message.type === 'stage_update' && message.message) draw(`${message.stage}: ${message.message}`)
      else if (message.type === 'token' && texts) writer.take(message)
      else if (message.type === 'done') writer.endLine()
    },
    end() {
      writer.endLine()
      out.draw('')
    },
  }
}

/** On a terminal only these stay above the bar; the rest is in it. */
const SHOWN: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

function itemText({ current, total, item_name }: ProgressMessage): string {
  const count = `${current} of ${total}`
  return item_name === undefined ? count : `${item_name}, ${count}`
}

/** Stages may write at the same time; each piece that is not of the same stage begins on a line of its own. */
function createWriter(out: Output) {
  let writing: string | undefined
  const endLine = () => {
    if (writing !== undefined) out.write('\n')
    writing = undefined
  }
  return {
    endLine,
    take({ stage, content, snapshot }: Token) {
      if (content === '') return
      if (snapshot || writing !== stage) endLine()
      writing = stage
      out.write(printableLines(content))
    },
  }
}
