/** What is done even when we are ended at once: a second Ctrl+C, a reader that has gone, an error that nobody caught. */

/** Each is synchronous, because nothing else runs at the end of a process. */
const rites = new Set<() => void>()

/** Runs `rite` at the end of this process, the latest first; returns how to take that back. */
export function atTheEnd(rite: () => void): () => void {
  if (rites.size === 0) process.on('exit', performAll)
  rites.add(rite)
  return () => {
    rites.delete(rite)
    if (rites.size === 0) process.off('exit', performAll)
  }
}

function performAll(): void {
  for (const rite of [...rites].reverse()) {
    try {
      rite()
    } catch {
      // The next one is tried all the same; there is nobody left to be told.
    }
  }
}
