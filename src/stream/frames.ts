/** From entries to the frames that viewers get: serialised once for all who read the same, merged for who is behind. */
import { type FieldsEntry, isLasting, isText, MESSAGE_TYPES, type TextEntry } from './events.ts'
import type { RingEntry } from './ring.ts'

export type Frame = { data: Buffer; seq: number }

/** `busy`: only the latest of what a later message makes obsolete. */
export type View = { stage: string | undefined; v: 1 | 2; busy: boolean }

/** A message, and which entries it stands for. */
export type Item = { message: Record<string, unknown>; first: number; last: number; obsoletes?: string }

type Piece = { entry: TextEntry; snapshot: boolean; offset: number; content: string; first: number; last: number }

export type MergeOptions = { projectId: string; view: View; textOf(stage: string): string }

/** Text is merged to one message per stage between two lasting events; those are all kept. */
export function mergeEntries(entries: RingEntry[], { projectId, view, textOf }: MergeOptions): Item[] {
  const items: Item[] = []
  const pieces = new Map<string, Piece>()
  const flush = (stage: string, whole: string) => {
    const piece = pieces.get(stage)
    if (piece) items.push(textItem(piece, { projectId, v: view.v, whole }))
    pieces.delete(stage)
  }
  for (const entry of entries) {
    if (view.stage !== undefined && entry.stage !== view.stage) continue
    if (isText(entry)) pieces.set(entry.stage, extended(pieces.get(entry.stage), entry))
    else {
      if (entry.whole !== undefined) flush(entry.stage, entry.whole)
      items.push(eventItem(entry, projectId))
    }
  }
  for (const stage of [...pieces.keys()]) flush(stage, textOf(stage))
  items.sort((a, b) => a.last - b.last)
  return view.busy ? withoutObsolete(items) : items
}

/**
 * Gives each message the largest seq up to which a client that stops after it has everything, so that it can resume
 * there although a merged message behind it reaches further back.
 */
export function frameItems(items: Item[], head: number): Frame[] {
  const frames: Frame[] = []
  let safe = head
  for (const item of items.toReversed()) {
    const seq = frames.length === 0 ? head : Math.min(item.last, safe)
    frames.push({ data: Buffer.from(JSON.stringify({ ...item.message, seq })), seq })
    safe = Math.min(safe, item.first - 1)
  }
  return frames.reverse()
}

function extended(piece: Piece | undefined, entry: TextEntry): Piece {
  const { seq, offset, text } = entry
  if (piece && entry.kind === 'token') return { ...piece, entry, content: piece.content + text, last: seq }
  return { entry, snapshot: entry.kind === 'snapshot', offset, content: text, first: piece?.first ?? seq, last: seq }
}

function textItem(piece: Piece, { projectId, v, whole }: { projectId: string; v: 1 | 2; whole: string }): Item {
  const { entry, snapshot, offset, content, first, last } = piece
  const full = v === 1 && { full_text: snapshot ? content : whole.slice(0, offset + content.length) }
  const own = { type: 'token', content, ...full, offset, ...(snapshot && { snapshot }) }
  return { message: { ...own, stage: entry.stage, project_id: projectId, timestamp: entry.timestamp }, first, last }
}

function eventItem(entry: FieldsEntry & { whole?: string }, projectId: string): Item {
  const whole = entry.kind === 'done' && { full_text: entry.whole }
  const stage = entry.kind !== 'project' && { stage: entry.stage }
  const own = { type: MESSAGE_TYPES[entry.kind], ...stage, ...whole, ...entry.fields }
  const message = { ...own, project_id: projectId, timestamp: entry.timestamp }
  const obsoletes = isLasting(entry) ? undefined : `${entry.kind} ${entry.stage}`
  return { message, first: entry.seq, last: entry.seq, obsoletes }
}

function withoutObsolete(items: Item[]): Item[] {
  const seen = new Set<string>()
  const latest = items.toReversed().filter(({ obsoletes }) => {
    if (obsoletes === undefined) return true
    if (seen.has(obsoletes)) return false
    seen.add(obsoletes)
    return true
  })
  return latest.reverse()
}
