/** Entries that are read again from Redis lack what the ring had kept beside them: the text at each lasting one. */
import { isLasting, isText, type StreamEntry } from './events.ts'
import type { RingEntry } from './ring.ts'

/** `newer` follow directly and lead to the texts of now. Undefined when a text cannot be told. */
export function withWholeTexts(
  older: StreamEntry[],
  newer: StreamEntry[],
  textOf: (stage: string) => string,
): RingEntry[] | undefined {
  const texts = new Map<string, string>()
  const all = [...older, ...newer]
  const result: RingEntry[] = []
  for (const [i, entry] of older.entries()) {
    const { stage } = entry
    if (isText(entry)) {
      const before = texts.get(stage) ?? textUpTo(all, i, textOf)
      if (before === undefined) return undefined
      texts.set(stage, entry.kind === 'snapshot' ? entry.text : before + entry.text)
      result.push(entry)
    } else if (isLasting(entry) && entry.kind !== 'project') {
      const whole = texts.get(stage) ?? textUpTo(all, i, textOf)
      if (whole === undefined) return undefined
      result.push({ ...entry, whole })
    } else result.push(entry)
  }
  return result
}

/** The text of the entry's stage before it, from what follows: a token says where it begins. */
function textUpTo(all: StreamEntry[], i: number, textOf: (stage: string) => string): string | undefined {
  const { stage } = all[i]!
  const texts = all
    .slice(i)
    .filter((e) => e.stage === stage)
    .filter(isText)
  if (texts[0] && texts[0].seq === all[i]!.seq && texts[0].offset === 0) return ''
  if (texts.some((e) => e.kind === 'snapshot')) return undefined
  return textOf(stage).slice(0, texts[0]?.offset)
}
