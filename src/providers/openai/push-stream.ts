/** From a function that calls back to a generator that yields. */

/**
 * Runs `run` and yields what it pushes; returns its result and throws its error, after everything pushed before.
 * A consumer that leaves early ends the run through the signal.
 */
export async function* pushStream<T, R>(
  run: (push: (value: T) => void, signal: AbortSignal) => Promise<R>,
  signal: AbortSignal,
): AsyncGenerator<T, R, void> {
  const left = new AbortController()
  const waiting: T[] = []
  let wake = Promise.withResolvers<void>()
  let ended = false
  const push = (value: T) => {
    waiting.push(value)
    wake.resolve()
  }
  const running = run(push, AbortSignal.any([signal, left.signal])).finally(() => {
    ended = true
    wake.resolve()
  })
  running.catch(() => {}) // thrown below, once all before it has been yielded
  try {
    for (;;) {
      while (waiting.length > 0) yield waiting.shift()!
      if (ended) return await running
      await wake.promise
      wake = Promise.withResolvers<void>()
    }
  } finally {
    left.abort()
  }
}
