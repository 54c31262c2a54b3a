/** Numbers that look random and are the same in every run: what fails with a seed fails again with it. */
import { createHash } from 'node:crypto'

/** Gives numbers from 0 up to 1 (mulberry32). */
export function createRandom(seed: string): () => number {
  let state = createHash('md5').update(seed).digest().readUInt32LE()
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
