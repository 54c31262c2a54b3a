/** Journals as text, written record by record, so that a test can doctor them. */
import type { Effect } from '../../src/chaos/effects.ts'
import { historyOf } from '../../src/chaos/history.ts'
import { encodeRecord, type JournalRecord, type RecordBody } from '../../src/project/records.ts'
import { fold } from '../helpers/records.ts'

/** A record a second. */
export function journalOf(bodies: readonly RecordBody[]): string {
  return bodies.map((body, i) => encodeRecord({ at: timeOf(i), ...body } as JournalRecord)).join('')
}

/** When the n-th record was written. */
export function timeOf(index: number): string {
  return new Date(1_000_000 + index * 1_000).toISOString()
}

export function step(stage: string, fence: string, about: { name: string; key?: string }): RecordBody {
  const { name, key = 'k' } = about
  return { type: 'step', stage, fence, name, key, result: { value: null }, files: [] }
}

export function effect(stage: string, name: string | null, attempt = 1): Effect {
  return { project: 'p', stage, step: name, attempt }
}

/** What the audit looks at, when nobody has doctored the journal: then fold and history agree. */
export function evidenceOf(bodies: RecordBody[]) {
  return { history: historyOf(journalOf(bodies)), state: fold(bodies).state }
}
