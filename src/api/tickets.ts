/** Tickets that let a caller in once: for clients that can set neither a header nor a cookie on a live connection. */
import { randomBytes } from 'node:crypto'
import type { Caller } from './auth.ts'

export const TICKET_LIFE_MS = 30_000

export type Tickets = {
  issue(caller: Caller): string
  /** Who the ticket was made for, or undefined when it is unknown, used or too old. */
  take(ticket: string): Caller | undefined
}

export function createTickets(now: () => number = () => performance.now()): Tickets {
  const issued = new Map<string, { caller: Caller; untilMs: number }>()
  return {
    issue(caller) {
      // In order of issue, so the old ones come first.
      for (const [ticket, entry] of issued) {
        if (entry.untilMs > now()) break
        issued.delete(ticket)
      }
      const ticket = randomBytes(24).toString('base64url')
      issued.set(ticket, { caller, untilMs: now() + TICKET_LIFE_MS })
      return ticket
    },
    take(ticket) {
      const entry = issued.get(ticket)
      issued.delete(ticket)
      return entry && entry.untilMs > now() ? entry.caller : undefined
    },
  }
}
