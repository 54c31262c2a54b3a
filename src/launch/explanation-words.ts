/** An explanation as one sentence for people. */
import type { ChronicleEntry } from './chronicle.ts'
import { endOfRun, type RunEnd, reasonOf } from './run-end.ts'

export type Story = {
  process: string
  /** The entry to explain; undefined when nothing is known. */
  focus: ChronicleEntry | undefined
  chain: readonly ChronicleEntry[]
  entries: readonly ChronicleEntry[]
  nowMs: number
  /** No server runs: what is told is the past. */
  isOver: boolean
  atMs: number | undefined
}

export function sentenceOf(story: Story): string {
  const { process, focus, atMs, nowMs } = story
  if (!focus && atMs !== undefined)
    return `Nothing happened to ${process} within ten minutes of ${timeText(atMs, nowMs)}.`
  if (!focus) return `Nothing is recorded of ${process}.`
  const tell = TELLERS[focus.event] ?? (() => focus.text)
  return `${endOfProgram(story)}${tell(story, focus)}.`
}

type Teller = (story: Story, focus: ChronicleEntry) => string

const TELLERS: Record<string, Teller> = {
  spawned: (story, focus) => `${origin(story, focus)}; it is not ready yet`,
  ready: (story, focus) =>
    `${origin(story, focus)}; ${story.isOver ? 'it was' : 'it has been'} ready since ${when(story, focus)}`,
  suspected: (story, focus) => `${focus.text}, noticed at ${when(story, focus)}; it is ended if that goes on`,
  hung: (story, focus) =>
    `${story.process} is being ended since ${when(story, focus)}, because it ${focus.facts.reason}`,
  boot_missed: (story, focus) => `${focus.text}, since ${when(story, focus)}`,
  exited: (story, focus) => ended(story, focus) + afterwards(story),
  restart_planned: (story, focus) =>
    ended(story, find(story, 'exited')) + nextStart(story, focus, Number(focus.facts.afterMs)),
  parked: parkedWords,
  stopping: (story, focus) =>
    `${story.process} is being stopped since ${when(story, focus)}, because ${stopReason(story)}`,
  stopped: (story, focus) =>
    story.process === 'supervisor'
      ? `Showrunner was stopped at ${when(story, focus)}${signalWords(story)}`
      : `${story.process} was stopped at ${when(story, focus)}, because ${stopReason(story)}`,
  boot_failed: (story, focus) => `Showrunner could not be started at ${when(story, focus)}: ${reasonOf(focus)}`,
  faulted: (story, focus) => `Showrunner was ended by an unexpected error at ${when(story, focus)}: ${reasonOf(focus)}`,
  redis_changed: (story, focus) =>
    focus.facts.running
      ? `Redis answers again since ${when(story, focus)}`
      : `Redis has not answered since ${when(story, focus)}`,
  booted: (story, focus) => `${focus.text}, at ${when(story, focus)}`,
}

/** How the process that runs came to be. */
function origin(story: Story, focus: ChronicleEntry): string {
  const { process } = story
  const spawned = find(story, 'spawned') ?? focus
  const exit = find(story, 'exited')
  const replacing = find(story, 'replacing')
  const asked = find(story, 'operator_asked')
  const at = when(story, spawned)
  if (replacing) return `${process} was replaced at ${at}, because of this: ${replacing.facts.why}`
  if (exit && exit.id < spawned.id && exit.facts.wanted)
    return `${process} was restarted at ${at}, because ${whyEnded(story, exit)}`
  if (asked) return `${process} was started at ${at}: ${asked.facts.what}, asked for by ${asked.facts.by}`
  return `${process} was started with the program at ${at}${startReason(story)}`
}

function startReason(story: Story): string {
  const before = find(story, 'booted')?.facts.before as RunEnd | null | undefined
  if (before?.how === 'faulted')
    return `, because an unexpected error had ended the run before at ${clock(story, before.at)} (${before.reason})`
  if (before?.how !== 'lost') return ''
  return `, because the run before had ended without a stop (killed, or the power failed; last heard of at ${clock(story, before.at)})`
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

function afterwards(story: Story): string {
  const parked = find(story, 'parked')
  const planned = find(story, 'restart_planned')
  const ready = story.chain.findLast(({ event, id }) => event === 'ready' && id > (story.focus?.id ?? 0))
  if (ready) return `; it was ready again at ${when(story, ready)}`
  if (parked && parked.id > (planned?.id ?? 0)) return retryWords(story, parked)
  return planned ? nextStart(story, planned, Number(planned.facts.afterMs)) : ''
}

function parkedWords(story: Story, focus: ChronicleEntry): string {
  const exit = find(story, 'exited')
  const exits = story.entries.filter((e) => e.process === story.process && e.event === 'exited' && e.run === focus.run)
  const minute = exits.filter((e) => e.id <= focus.id && Date.parse(focus.at) - Date.parse(e.at) < 60_000).length
  const often = minute > 1 ? `it ended ${minute} times within a minute, the last time at` : 'it ended at'
  const last = exit ? `${often} ${when(story, exit)}, because ${whyEnded(story, exit)}` : `it ${focus.facts.reason}`
  return `${story.process} is not kept running since ${when(story, focus)}: ${last}${retryWords(story, focus)}`
}

function retryWords(story: Story, parked: ChronicleEntry): string {
  const { retryMs } = parked.facts
  if (typeof retryMs !== 'number') return '; it is started again only by hand'
  return nextStart(story, parked, retryMs)
}

function nextStart(story: Story, { at }: ChronicleEntry, inMs: number): string {
  if (story.isOver) return ''
  return inMs < 1_000
    ? '; it is being started again'
    : `; the next try is at ${timeText(Date.parse(at) + inMs, story.nowMs)}`
}

function stopReason(story: Story): string {
  const asked = find(story, 'operator_asked')
  if (asked) return `${asked.facts.by} asked for it (${asked.facts.what})`
  const replacing = find(story, 'replacing')
  if (replacing) return `it was replaced (${replacing.facts.why})`
  const fault = find(story, 'faulted')
  if (fault) return `of an unexpected error (${reasonOf(fault)})`
  if (isOfFailedBoot(story)) return 'the program could not be started'
  return `the program was stopped${signalWords(story)}`
}

function signalWords(story: Story): string {
  const signal = find(story, 'stop_asked')?.facts.signal
  return signal === undefined ? '' : ` by ${signal}`
}

function isOfFailedBoot({ entries, focus }: Story): boolean {
  return entries.some(({ event, run }) => event === 'boot_failed' && run === focus?.run)
}

/** What has become of a program that does not run any more. */
function endOfProgram({ isOver, entries, nowMs, process }: Story): string {
  const end = isOver ? endOfRun(entries) : null
  if (!end || (process === 'supervisor' && end.how !== 'lost')) return ''
  return `${END_WORDS[end.how](timeText(Date.parse(end.at), nowMs), end.reason)}. Before that: `
}

const END_WORDS: Record<RunEnd['how'], (at: string, reason: string | null) => string> = {
  stopped: (at) => `The program was stopped at ${at}`,
  boot_failed: (at, reason) => `The program could not be started at ${at} (${reason})`,
  faulted: (at, reason) => `An unexpected error ended the program at ${at} (${reason})`,
  lost: (at) => `The program ended without a stop (killed, or the power failed), last heard of at ${at}`,
}

function find({ chain }: Story, event: string): ChronicleEntry | undefined {
  return chain.findLast((entry) => entry.event === event)
}

function when(story: Story, { at }: ChronicleEntry): string {
  return clock(story, at)
}

function clock({ nowMs }: Story, at: string): string {
  return timeText(Date.parse(at), nowMs)
}

/** `14:02:11` in local time, with the date when that is not today's. */
export function timeText(ms: number, nowMs: number): string {
  const [date, time] = localText(ms)
  return date === localText(nowMs)[0] ? time : `${date} ${time}`
}

function localText(ms: number): [date: string, time: string] {
  const at = new Date(ms)
  const two = (n: number) => String(n).padStart(2, '0')
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-')
  return [date, [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')]
}
