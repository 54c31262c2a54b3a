/** Choices that look free but depend on the content alone: same input, same output. */
import { createHash } from 'node:crypto'

/** Numbers in [0, 1) that only `text` decides (mulberry32 over the first 32 bits of its SHA-256). */
export function seededRandom(text: string): () => number {
  let state = createHash('sha256').update(text).digest().readUInt32LE(0)
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
