/** An explanation as one sentence for people. */
import type { ChronicleEntry } from './chronicle.ts'
import { afterEnd, afterOrder, afterSilence, afterStart } from './explanation-outcome.ts'
import { AROUND_MS, clock, find, isLive, isPresent, laterOf, type Story, timeText, when } from './explanation-words.ts'
import { endOfRun, heardWords, type RunEnd, reasonOf } from './run-end.ts'

export function sentenceOf(story: Story): string {
  const { focus } = story
  if (!focus) return nothingWords(story)
  const tell = TELLERS[focus.event] ?? (() => `${focus.text}, at ${when(story, focus)}`)
  return `${limitOfRecord(story)}${endOfProgram(story, focus)}${tell(story, focus)}.`
}

/** What follows is then the nearest that is known, and maybe not the nearest that was. */
function limitOfRecord({ untilMs, entries, nowMs }: Story): string {
  const beginMs = Date.parse(entries[0]?.at ?? '')
  if (untilMs === undefined || !(untilMs < beginMs)) return ''
  return `The record begins at ${timeText(beginMs, nowMs)}, after that moment. `
}

/** What lies before the oldest entry may have happened all the same. */
function nothingWords({ process, atMs, entries, nowMs }: Story): string {
  const oldest = entries[0]
  if (atMs === undefined || !oldest) return `Nothing is recorded of ${process}.`
  const around = `within ten minutes of ${timeText(atMs, nowMs)}`
  const beginMs = Date.parse(oldest.at)
  return atMs - AROUND_MS < beginMs
    ? `Nothing is recorded of ${process} ${around}; the record begins at ${timeText(beginMs, nowMs)}.`
    : `Nothing happened to ${process} ${around}.`
}

type Teller = (story: Story, focus: ChronicleEntry) => string

const TELLERS: Record<string, Teller> = {
  spawned: (story, focus) => origin(story, focus) + afterStart(story, focus),
  ready: (story, focus) =>
    `${origin(story, focus)}; it ${isPresent(story, focus) ? 'has been ready since' : 'was ready at'} ${when(story, focus)}`,
  suspected: (story, focus) => `${focus.text}, noticed at ${when(story, focus)}${afterSilence(story, focus)}`,
  hung: (story, focus) =>
    `${story.process} ${being(story, focus, 'ended')}, because it ${focus.facts.reason}${afterOrder(story, focus)}`,
  boot_missed: (story, focus) =>
    `${story.process} ${being(story, focus, 'ended')}, because it was not ready within ` +
    `${Number(focus.facts.deadlineMs) / 1_000} s${afterOrder(story, focus)}`,
  exited: (story, focus) => ended(story, focus) + afterEnd(story, focus),
  restart_planned: (story, focus) => ended(story, find(story, 'exited')) + afterEnd(story, focus),
  parked: parkedWords,
  stopping: (story, focus) =>
    story.process === 'supervisor'
      ? `Showrunner ${being(story, focus, 'stopped')}${signalWords(story)}${afterOrder(story, focus)}`
      : `${story.process} ${being(story, focus, 'stopped')}, because ${stopReason(story)}${afterOrder(story, focus)}`,
  stopped: (story, focus) =>
    story.process === 'supervisor'
      ? `Showrunner was stopped at ${when(story, focus)}${signalWords(story)}`
      : `${story.process} was stopped at ${when(story, focus)}, because ${stopReason(story)}`,
  boot_failed: (story, focus) => `Showrunner could not be started at ${when(story, focus)}: ${reasonOf(focus)}`,
  faulted: (story, focus) => `Showrunner was ended by an unexpected error at ${when(story, focus)}: ${reasonOf(focus)}`,
  redis_changed: redisWords,
  replacing: replacingWords,
  operator_asked: (story, { facts, ...focus }) =>
    `${nameOf(facts.by)} asked for ${facts.what} at ${clock(story, focus.at)}`,
}

/** Of what takes a while. */
function being(story: Story, focus: ChronicleEntry, what: string): string {
  const at = when(story, focus)
  return isPresent(story, focus) ? `is being ${what} since ${at}` : `was being ${what} from ${at} on`
}

function redisWords(story: Story, focus: ChronicleEntry): string {
  const at = when(story, focus)
  const isSo = isPresent(story, focus)
  if (focus.facts.running) return isSo ? `Redis answers again since ${at}` : `Redis answered again at ${at}`
  if (isSo) return `Redis has not answered since ${at}`
  const back = laterOf(story, focus).find(({ event, facts }) => event === 'redis_changed' && facts.running)
  return `Redis did not answer from ${at} on${back ? `; it answered again at ${when(story, back)}` : ''}`
}

function replacingWords(story: Story, focus: ChronicleEntry): string {
  const { process } = story
  const [at, why] = [when(story, focus), `because of this: ${focus.facts.why}`]
  const later = laterOf(story, focus)
  const end = later.find(({ event }) => event === 'replaced' || event === 'replace_failed')
  if (!end)
    return `${process} ${isLive(story, focus) ? `is being replaced since ${at}` : `was being replaced from ${at} on`}, ${why}`
  if (end.event === 'replace_failed')
    return `a successor of ${process} was started at ${at}, ${why}; it did not come up: ${end.facts.reason}`
  const old = later.find(({ event, facts }) => event === 'exited' && facts.name === `${process}.old`)
  const gone = old ? `; the process before ended at ${when(story, old)}` : ''
  return `${process} was replaced at ${at}, ${why}; its successor took over at ${when(story, end)}${gone}`
}

/** How the process that runs came to be. */
function origin(story: Story, focus: ChronicleEntry): string {
  const { process } = story
  const spawned = find(story, 'spawned') ?? find(story, 'booted') ?? focus
  const exit = find(story, 'exited')
  const replacing = find(story, 'replacing')
  const asked = find(story, 'operator_asked')
  const at = when(story, spawned)
  if (replacing) return `${process} was replaced at ${at}, because of this: ${replacing.facts.why}`
  if (exit && exit.id < spawned.id && exit.facts.wanted)
    return `${process} was restarted at ${at}, because ${whyEnded(story, exit)}`
  if (asked) return `${process} was started at ${at}: ${asked.facts.what}, asked for by ${nameOf(asked.facts.by)}`
  if (process === 'supervisor') return `Showrunner was started at ${at}${startReason(story)}`
  // Without the start of the program in the record nobody knows what this start came of.
  return `${process} was started ${find(story, 'booted') ? 'with the program ' : ''}at ${at}${startReason(story)}`
}

function startReason(story: Story): string {
  const before = find(story, 'booted')?.facts.before as RunEnd | null | undefined
  if (before?.how === 'faulted')
    return `, because an unexpected error had ended the run before at ${clock(story, before.at)} (${before.reason})`
  if (before?.how !== 'lost') return ''
  return `, because the run before had ended without a stop (killed, or the power failed; ${heardWords(before)} at ${clock(story, before.at)})`
}

function ended(story: Story, exit: ChronicleEntry | undefined): string {
  return exit
    ? `${story.process} ended at ${when(story, exit)}, because ${whyEnded(story, exit)}`
    : `${story.process} ended`
}

/** Completes "because …". */
function whyEnded(story: Story, exit: ChronicleEntry): string {
  const cause = story.entries.find(({ id }) => id === exit.cause)
  const itself = `it ${exit.facts.reason}${placeOf(exit)}${complaintOf(exit)}`
  if (exit.facts.wanted === false) return stopReason(story)
  if (cause?.process === 'redis' && story.process !== 'redis')
    return `Redis was lost at ${when(story, cause)}; then ${itself}`
  const charged = story.entries.find(({ event, cause: of }) => event === 'death_charged' && of === exit.id)
  if (charged) return `${itself} (by ${charged.facts.stage} of ${charged.facts.project})`
  const isForeign = exit.facts.killedFor === null && String(exit.facts.reason).startsWith('was ended by SIG')
  return isForeign && !FAULTS.test(String(exit.facts.signal)) ? `${itself}, from outside Showrunner` : itself
}

/** By these a process ends itself. */
const FAULTS = /^SIG(ABRT|SEGV|BUS|ILL|FPE|TRAP|SYS)$/

function placeOf({ facts }: ChronicleEntry): string {
  const where = facts.where as { function: string; file: string; line: number } | null | undefined
  if (!where || String(facts.reason).includes(where.file)) return ''
  return `; it was in ${where.function} (${where.file}:${where.line})`
}

/** What its output says about an end of its own. */
function complaintOf({ facts }: ChronicleEntry): string {
  const isOwn = facts.killedFor === null && facts.signal === null && typeof facts.complaint === 'string'
  return isOwn && !String(facts.reason).includes(String(facts.complaint)) ? ` (${facts.complaint})` : ''
}

function parkedWords(story: Story, focus: ChronicleEntry): string {
  const exit = find(story, 'exited')
  const exits = story.entries.filter((e) => e.process === story.process && e.event === 'exited' && e.run === focus.run)
  const minute = exits.filter((e) => e.id <= focus.id && Date.parse(focus.at) - Date.parse(e.at) < 60_000).length
  const often = minute > 1 ? `it ended ${minute} times within a minute, the last time at` : 'it ended at'
  const last = exit ? `${often} ${when(story, exit)}, because ${whyEnded(story, exit)}` : `it ${focus.facts.reason}`
  const given = isPresent(story, focus) ? 'is not kept running since' : 'was given up at'
  return `${story.process} ${given} ${when(story, focus)}: ${last}${afterEnd(story, focus)}`
}

function stopReason(story: Story): string {
  const asked = find(story, 'operator_asked')
  if (asked) return `${nameOf(asked.facts.by)} asked for it (${asked.facts.what})`
  const replacing = find(story, 'replacing')
  if (replacing) return `it was replaced (${replacing.facts.why})`
  const fault = find(story, 'faulted')
  if (fault) return `of an unexpected error (${reasonOf(fault)})`
  if (isOfFailedBoot(story)) return 'the program could not be started'
  return `the program was stopped${signalWords(story)}`
}

/** Users have names; the operator is one whatever they are called. */
function nameOf(by: unknown): string {
  return by === 'operator' ? 'the operator' : String(by)
}

function signalWords(story: Story): string {
  const signal = find(story, 'stop_asked')?.facts.signal
  return signal === undefined ? '' : ` by ${signal}`
}

function isOfFailedBoot({ entries, focus }: Story): boolean {
  return entries.some(({ event, run }) => event === 'boot_failed' && run === focus?.run)
}

/** What has become of a program that does not run any more. */
function endOfProgram({ isOver, entries, nowMs, process, heardMs }: Story, focus: ChronicleEntry): string {
  const end = isOver ? endOfRun(entries, heardMs) : null
  if (!end || (process === 'supervisor' && end.how !== 'lost')) return ''
  const own = entries.filter((entry) => entry.process === 'supervisor' && entry.run === focus.run)
  const isBefore = !own.some(({ event, id }) => event === end.how && id < focus.id)
  return `${END_WORDS[end.how](timeText(Date.parse(end.at), nowMs), end)}. ${isBefore ? 'Before that: ' : ''}`
}

const END_WORDS: Record<RunEnd['how'], (at: string, end: RunEnd) => string> = {
  stopped: (at) => `The program was stopped at ${at}`,
  boot_failed: (at, { reason }) => `The program could not be started at ${at} (${reason})`,
  faulted: (at, { reason }) => `An unexpected error ended the program at ${at} (${reason})`,
  lost: (at, end) => `The program ended without a stop (killed, or the power failed), ${heardWords(end)} at ${at}`,
}
