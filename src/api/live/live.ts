/** What all live routes of one app share: the places for viewers and the timer of the event streams. */
import type { ApiDeps } from '../deps.ts'
import { createPulse, type Pulse } from './pulse.ts'
import { createSeats, type Seats } from './seats.ts'

export type Live = { seats: Seats; pulse: Pulse }

/** Proxies close a connection that is silent for long; a comment says that it is not dead. */
const HEARTBEAT_MS = 15_000

export function createLive({ maxSockets, log }: Pick<ApiDeps, 'maxSockets' | 'log'>): Live {
  return { seats: createSeats(maxSockets, log), pulse: createPulse(HEARTBEAT_MS) }
}
