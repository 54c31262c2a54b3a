/** What came of an event: what has happened to the process since, or what is going to happen now. */
import type { ChronicleEntry } from './chronicle.ts'
import { isLive, laterOf, type Story, timeText, turnsAfter, when } from './explanation-words.ts'

/** Of an end: it was started again, or when that will be tried. Begins with a semicolon when there is anything to say. */
export function afterEnd(story: Story, end: ChronicleEntry): string {
  const later = turnsAfter(story, end)
  const next = later.find(({ event }) => !BETWEEN.has(event))
  if (next) return startedWords(story, next)
  const plan = [end, ...later].findLast(({ event }) => PLANS.has(event))
  const isTakenOut = later.some(({ event }) => event === 'stopped')
  return plan && !isTakenOut && isLive(story, plan) ? nextStart(story, plan) : ''
}

const PLANS = new Set(['restart_planned', 'parked'])
/** What lies between an end and the start that follows: a restart by hand stops first what has ended. */
const BETWEEN = new Set([...PLANS, 'redis_changed', 'stopped'])

function startedWords(story: Story, next: ChronicleEntry): string {
  // A successor that was on its way takes the place of what has ended: it is not started then, but becomes ready.
  if (next.event === 'ready') return `; it was ready again at ${when(story, next)}`
  if (next.event !== 'spawned') return ''
  const [then] = turnsAfter(story, next)
  if (then?.event === 'ready') return `; it was ready again at ${when(story, then)}`
  if (then?.event === 'exited')
    return `; it was started again at ${when(story, next)}, and ended again at ${when(story, then)}`
  return then || !isLive(story, next) ? `; it was started again at ${when(story, next)}` : AGAIN
}

const AGAIN = '; it is being started again'

function nextStart({ nowMs }: Story, { event, at, facts }: ChronicleEntry): string {
  const inMs = event === 'parked' ? facts.retryMs : facts.afterMs
  if (event === 'parked' && typeof inMs !== 'number') return '; it is started again only by hand'
  const dueMs = Date.parse(at) + Number(inMs)
  return Number(inMs) < 1_000 || dueMs <= nowMs ? AGAIN : `; the next try is at ${timeText(dueMs, nowMs)}`
}

/** Of a start. */
export function afterStart(story: Story, start: ChronicleEntry): string {
  const next = turnsAfter(story, start).find(({ event }) => event !== 'redis_changed')
  if (next?.event === 'ready') return `; it was ready at ${when(story, next)}`
  if (next) return `; it was not ready yet at ${when(story, next)}, when ${PASSED[next.event] ?? 'that changed'}`
  return isLive(story, start) ? '; it is not ready yet' : '; it was not ready yet'
}

const PASSED: Record<string, string> = {
  exited: 'it ended',
  boot_missed: 'its time was up',
  suspected: 'it gave no sign of life',
  hung: 'it gave no sign of life',
  stopping: 'it was told to stop',
  stopped: 'it was stopped',
}

/** Of a silence: it was over, or somebody ended it. */
export function afterSilence(story: Story, silence: ChronicleEntry): string {
  const back = laterOf(story, silence).find(({ event, cause }) => event === 'recovered' && cause === silence.id)
  if (back) return `; it gave signs of life again at ${when(story, back)}`
  const end = endAfter(story, silence)
  if (end) return endWords(story, end)
  const isHung = turnsAfter(story, silence).some(({ event }) => event === 'hung')
  if (isLive(story, silence)) return isHung ? '; it is being ended' : '; it is ended if that goes on'
  return isHung ? '; it was being ended' : ''
}

/** Of an order to end. */
export function afterOrder(story: Story, order: ChronicleEntry): string {
  const end = endAfter(story, order)
  return end ? endWords(story, end) : ''
}

function endWords(story: Story, end: ChronicleEntry): string {
  return `; it ended at ${when(story, end)}${afterEnd(story, end)}`
}

function endAfter(story: Story, entry: ChronicleEntry): ChronicleEntry | undefined {
  return turnsAfter(story, entry).find(({ event }) => event === 'exited' || event === 'stopped')
}
