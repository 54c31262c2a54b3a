/** How many live viewers there may be at a time, over all transports. */
import { AppError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'

export type Seats = {
  /** A seat, given back by the function returned. Throws `unavailable` when all are taken. */
  take(): () => void
  readonly taken: number
}

/** Clients that are refused try again; one line in so many milliseconds says it as well as a thousand. */
const WARN_EVERY_MS = 5_000

export function createSeats(max: number, log: Log, now: () => number = () => performance.now()): Seats {
  let taken = 0
  let warnedMs = -Infinity
  const warn = () => {
    if (now() - warnedMs < WARN_EVERY_MS) return
    warnedMs = now()
    log.warn({ viewers: taken, setting: 'MAX_SOCKETS' }, 'refused a live viewer; MAX_SOCKETS allows more')
  }
  return {
    get taken() {
      return taken
    },
    take() {
      if (taken >= max) {
        warn()
        throw new AppError('unavailable', `All ${max} places for live viewers are taken; MAX_SOCKETS allows more`)
      }
      taken++
      let held = true
      return () => {
        if (held) taken--
        held = false
      }
    },
  }
}
