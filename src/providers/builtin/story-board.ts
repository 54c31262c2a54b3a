/** A text cut into shots: what is said is the text's own lines, what is seen is what they speak of. */
import { spokenBlocks } from './analysis.ts'
import { headlineOf, titleFrom } from './headlines.ts'
import { speakingS } from './pace.ts'
import { plainText } from './plain-text.ts'
import { rank, termsOf } from './rank.ts'
import { BREATH_S, type Chosen, select } from './selection.ts'
import { sentencesOf } from './sentences.ts'
import { groupIntoShots } from './shots.ts'
import type { Board, BoardBrief } from './story.ts'
import { tongueOf } from './writing.ts'

/** How long a shot should last: sentences are chosen to fill the wanted number of them. */
const SHOT_S = 6.5
/** Long sentences fill the time with too few shots: then more of the text is taken. */
const WIDER = 1.35
const SUBJECTS_MAX = 3

/** The same brief always gives the same board. `text` must hold at least one visible character. */
export function boardStory({ text, shots, exact }: BoardBrief): Board {
  const blocks = plainText(text)
  const { language } = tongueOf(blocks.map((block) => block.text).join('\n'))
  const sentences = sentencesOf(spokenBlocks(blocks), language)
  const { vectors, weightOf } = termsOf(
    sentences.map((s) => s.text),
    language,
  )
  const scores = rank(vectors)
  const candidates = sentences.map((s, index) => ({ index, text: s.text, score: scores[index]! }))
  const group = (targetS: number) => {
    const chosen = select(candidates, targetS)
    const merged = mergedTo(groupIntoShots(chosen, vectors), shots)
    return { chosen, groups: exact ? splitTo(merged, shots) : merged }
  }
  let targetS = shots * SHOT_S
  let made = group(targetS)
  while (exact && made.groups.length < shots && usedBy(made.chosen) < sentences.length) {
    targetS *= WIDER
    made = group(targetS)
  }
  const subject = (line: string) => headlineOf(line, { language, weightOf })
  return {
    shots: made.groups.map((lines) => boardShot(lines, subject)),
    left_out: sentences.length - usedBy(made.chosen),
  }
}

function usedBy(chosen: readonly Chosen[]): number {
  return new Set(chosen.map((line) => line.sentence)).size
}

function boardShot(lines: readonly Chosen[], subject: (text: string) => string) {
  const dialogue = lines.map((line) => line.text).join(' ')
  const subjects = [...new Set(lines.map((line) => subject(line.text)).filter((s) => s !== ''))]
  const description = subjects.slice(0, SUBJECTS_MAX).join('; ') || titleFrom(dialogue) || dialogue
  return { description, dialogue, duration_s: lengthS(lines) }
}

function lengthS(lines: readonly Chosen[]): number {
  return lines.reduce((sum, line) => sum + speakingS(line.text) + BREATH_S, 0)
}

/** Joins the two neighbours that are shortest together, until there are few enough. */
function mergedTo(groups: readonly Chosen[][], most: number): Chosen[][] {
  const merged = [...groups]
  while (merged.length > most) {
    const sums = merged.slice(1).map((group, i) => lengthS(group) + lengthS(merged[i]!))
    const at = sums.indexOf(Math.min(...sums))
    merged.splice(at, 2, [...merged[at]!, ...merged[at + 1]!])
  }
  return merged
}

/** Halves the longest shot that has more than one line, until there are enough or none can be halved. */
function splitTo(groups: readonly Chosen[][], wanted: number): Chosen[][] {
  const split = [...groups]
  while (split.length < wanted) {
    const lengths = split.map((group) => (group.length > 1 ? lengthS(group) : 0))
    const longest = Math.max(...lengths)
    if (longest === 0) break
    const at = lengths.indexOf(longest)
    const group = split[at]!
    const middle = Math.ceil(group.length / 2)
    split.splice(at, 1, group.slice(0, middle), group.slice(middle))
  }
  return split
}
