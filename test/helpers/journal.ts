/** What a project's journal on the disk says, record by record. */
import { readFileSync } from 'node:fs'
import { type DataLayout, projectLayout } from '../../src/project/layout.ts'
import { decodeRecord, type JournalRecord } from '../../src/project/records.ts'

export function readRecords(layout: DataLayout, id: string): JournalRecord[] {
  const lines = readFileSync(projectLayout(layout, id).journal, 'utf8').split('\n')
  return lines.flatMap((line) => decodeRecord(line) ?? [])
}
