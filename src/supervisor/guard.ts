/** Keeps a fault in one callback away from the rest of a turn. */

/** The error surfaces as an uncaught one, which the program treats as fatal, but not before the turn is done. */
export function guarded(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
