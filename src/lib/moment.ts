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

const TIME = /(?:^|[T ])\d{1,2}:\d\d(:\d\d(\.\d+)?)?/i

/** How long what the text names lasts, from `momentOf` on: without seconds a minute, without parts of it a second. */
export function spanMsOf(text: string): number {
  const [time, seconds, part] = TIME.exec(text) ?? []
  if (time === undefined || part !== undefined) return 0
  return seconds === undefined ? 60_000 : 1_000
}

/** As ISO, with no more parts than `spanMsOf` needs to find the span again. */
export function isoOf(ms: number, spanMs: number): string {
  const iso = new Date(ms).toISOString()
  if (spanMs < 1_000) return iso
  return `${iso.slice(0, spanMs < 60_000 ? 'YYYY-MM-DDTHH:MM:SS'.length : 'YYYY-MM-DDTHH:MM'.length)}Z`
}
