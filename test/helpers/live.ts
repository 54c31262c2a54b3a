/** A live stage without viewers, which remembers what was said. */
import type { LiveStage } from '../../src/pipelines/attempt-run.ts'

export type RecordedStage = LiveStage & { said: unknown[] }

export function recordedStage(): RecordedStage {
  const said: unknown[] = []
  let text = ''
  return {
    said,
    text(delta) {
      text += delta
      said.push(delta)
    },
    progress: (progress) => void said.push(progress),
    fullText: () => text,
    done: async () => {},
    error: async (error) => void said.push(error),
    close: async () => {},
  }
}
