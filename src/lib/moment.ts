/** Times as people type them. */

/** A time of day: `14:02` or `14:02:11`. */
export const CLOCK = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/

/**
 * Milliseconds since 1970, or NaN. A time of day is the last one gone by, in the local time of this machine; one without
 * seconds begins its minute.
 */
export function momentOf(text: string, now: Date): number {
  const clock = CLOCK.exec(text)
  if (!clock) return Date.parse(text)
  const [, hours, minutes, seconds = '0'] = clock
  const moment = new Date(now)
  moment.setHours(Number(hours), Number(minutes), Number(seconds), 0)
  if (moment > now) moment.setDate(moment.getDate() - 1)
  return moment.getTime()
}
