/** What a journal says happened, read record by record: a second opinion beside the fold that the program uses. */
import type { ClaimOwner, JournalRecord } from '../project/records.ts'
import { decodeRecord } from '../project/records.ts'

type Of<T extends JournalRecord['type']> = Extract<JournalRecord, { type: T }>

/** One start of a stage that won its claim, and what was written under it. */
export type Attempt = {
  stage: string
  fence: string
  /** Of the attempt that it took over from. */
  supersedes: string | null
  owner: ClaimOwner
  atMs: number
  /** When it was known to be over; null when its process never said so. */
  endMs: number | null
  /** Counts the stage's attempts from 1, as stages see it. */
  number: number
  /** Bumped when the stage was asked for anew: what an earlier take did may be done again. */
  take: number
  steps: { name: string; key: string }[]
  completions: number
}

export type History = {
  attempts: Attempt[]
  /** Lines that cannot be read. */
  torn: number
  /** Records of attempts that had been superseded: written by the dead, and refused. */
  refused: number
  /** When claims were written, the refused ones too. */
  claimsMs: number[]
}

type StageNow = { current: Attempt | null; number: number; take: number }

export function historyOf(text: string): History {
  const lines = text.split('\n').filter((line) => line !== '')
  const records = lines.flatMap((line) => decodeRecord(line) ?? [])
  const history: History = { attempts: [], torn: lines.length - records.length, refused: 0, claimsMs: [] }
  const stages = new Map<string, StageNow>()
  for (const record of records) {
    if (record.type === 'claim') onClaim(history, stageIn(stages, record.stage), record)
    else if (RESETS.has(record.type)) onReset(stages, record)
    else if ('fence' in record) onFenced(history, stageIn(stages, record.stage), record)
  }
  return history
}

/** After these a stage may be claimed as if nobody ever had, and done again. */
const RESETS: ReadonlySet<string> = new Set(['cancelled', 'reopened', 'rerun', 'demoted', 'executed', 'recovered'])
/** By these an attempt says that it is over. */
const ENDS: ReadonlySet<string> = new Set(['completed', 'failed', 'deferred', 'released'])

function stageIn(stages: Map<string, StageNow>, name: string): StageNow {
  const known = stages.get(name) ?? { current: null, number: 0, take: 0 }
  stages.set(name, known)
  return known
}

function onClaim(history: History, stage: StageNow, record: Of<'claim'>): void {
  const atMs = Date.parse(record.at)
  history.claimsMs.push(atMs)
  if (record.supersedes !== (stage.current?.fence ?? null)) {
    history.refused += 1
    return
  }
  const { fence, supersedes, owner, stage: name } = record
  stage.number += 1
  const about = { stage: name, fence, supersedes, owner, atMs, number: stage.number, take: stage.take }
  stage.current = { ...about, endMs: null, steps: [], completions: 0 }
  history.attempts.push(stage.current)
}

function onReset(stages: Map<string, StageNow>, record: JournalRecord): void {
  const named = 'stage' in record ? [stageIn(stages, record.stage)] : [...stages.values()]
  for (const stage of named) {
    stage.current = null
    stage.take += 1
  }
}

function onFenced(
  history: History,
  { current }: StageNow,
  record: Extract<JournalRecord, { fence: string | null }>,
): void {
  if (current?.fence !== record.fence) {
    history.refused += 1
    return
  }
  if (record.type === 'step') current.steps.push({ name: record.name, key: record.key })
  if (record.type === 'completed') current.completions += 1
  if (ENDS.has(record.type)) current.endMs ??= Date.parse(record.at)
}
