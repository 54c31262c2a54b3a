/** A long text in parts that fit into one prompt, cut where the cut hurts least. */

/** So many UTF-16 units of text go into one prompt (about 3,000 tokens of English); a longer text is several calls. */
export const CHUNK_MAX = 12_000

/** Parts in order, none longer than `max`; joined, they are the text without white space at the cuts. */
export function chunksOf(text: string, max = CHUNK_MAX): string[] {
  const chunks: string[] = []
  let rest = text.trim()
  while (rest.length > max) {
    const cut = cutAt(rest.slice(0, max))
    chunks.push(rest.slice(0, cut).trim())
    rest = rest.slice(cut).trim()
  }
  if (rest !== '') chunks.push(rest)
  return chunks
}

/** Between paragraphs, else lines, else sentences, else words. */
const CUTS = [/\n\s*\n/g, /\n/g, /[.!?…]["”»’)]*\s+|[。！？][”」』]*/g, /\s+/g]

function cutAt(head: string): number {
  for (const mark of CUTS) {
    const end = [...head.matchAll(mark)].map((m) => m.index + m[0].length).at(-1)
    if (end !== undefined && end > head.length / 2) return end
  }
  // Never inside a surrogate pair.
  return /[\ud800-\udbff]$/.test(head) ? head.length - 1 : head.length
}
