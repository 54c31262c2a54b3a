/** Shows a project's progress: one line that is drawn over on a terminal, else a line for each change. */
import type { Project } from '../api/schemas/project.ts'
import type { Output } from './output.ts'
import { nowText, statusWord } from './project-text.ts'
import { barText } from './text.ts'

export type Progress = {
  show(state: Project): void
  /** Clears what was drawn. */
  end(): void
}

export function createProgress(out: Output): Progress {
  const seen = new Map<string, string>()
  return {
    show(state) {
      for (const stage of state.stages) {
        const word = statusWord(stage)
        const isNews = word !== 'pending' && word !== (seen.get(stage.name) ?? 'pending')
        seen.set(stage.name, word)
        if (isNews && (!out.interactive || SHOWN.has(stage.status))) {
          out.draw('')
          out.say(`${stage.name}: ${word}`)
        }
      }
      out.draw(`${barText(state.progress)}  ${nowText(state)}`)
    },
    end: () => out.draw(''),
  }
}

/** On a terminal only these stay above the bar; the rest is in it. */
const SHOWN: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])
