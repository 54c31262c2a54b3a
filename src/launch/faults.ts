/** Errors that nobody expected, from the very beginning: whoever has begun last keeps them, and the program ends. */
import { AppError, messageOf } from '../lib/errors.ts'

export type Faults = {
  /** Rejects with the first one. */
  first: Promise<never>
  /** What is done at once: later there may be no time. The latest `act` counts. */
  onFault(act: (error: unknown) => void): void
}

export function listenForFaults(): Faults {
  const { promise: first, reject } = Promise.withResolvers<never>()
  let act = (_: unknown) => {} // nothing is there yet that could keep it
  first.catch(() => {}) // it is awaited only once there is something to wait for
  process.on('uncaughtException', (error) => {
    reject(new AppError('internal', messageOf(error), { cause: error }))
    act(error)
  })
  return {
    first,
    onFault(callback) {
      act = callback
    },
  }
}
