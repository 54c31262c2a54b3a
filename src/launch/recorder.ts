/** Turns facts into entries of the chronicle, each with what caused it. */
import { createCauses } from './causes.ts'
import type { ChronicleFile } from './chronicle.ts'
import { entryOf } from './entries.ts'
import type { LaunchFact } from './facts.ts'

export type Recorder = { note(fact: LaunchFact): void }

export function createRecorder(file: Pick<ChronicleFile, 'append'>, run: string, now = Date.now): Recorder {
  const causes = createCauses()
  return {
    note(fact) {
      const cause = causes.of(fact)
      const entry = entryOf(fact)
      if (!entry) return
      causes.note(fact, file.append({ at: new Date(now()).toISOString(), run, cause, ...entry }))
    },
  }
}
