/** Facts as the program tells them, and entries made of them a second apart. */
import type { ChronicleEntry } from '../../src/launch/chronicle.ts'
import type { LaunchFact } from '../../src/launch/facts.ts'
import { createRecorder } from '../../src/launch/recorder.ts'
import type { StackTop } from '../../src/supervisor/facts.ts'

/** Local time, as the sentences have it. */
export const START = new Date(2026, 10, 23, 14, 2, 0).getTime()

/** Facts one second apart, each with its cause's place in the list (or null) where that is of interest. */
export function record(facts: LaunchFact[], before: ChronicleEntry[] = [], run = 'r1'): ChronicleEntry[] {
  const entries = [...before]
  const append = (entry: Omit<ChronicleEntry, 'id'>) => entries.push({ id: entries.length + 1, ...entry })
  let ms = before.length === 0 ? START : Date.parse(before.at(-1)!.at) + 60_000
  const recorder = createRecorder({ append }, run, () => ms)
  for (const fact of facts) {
    recorder.note(fact)
    ms += 1_000
  }
  return entries
}

export const booted: LaunchFact = { type: 'booted', version: '1.0.0', pid: 1, before: null }
export const spawned = (name: string, pid = 7): LaunchFact => ({ type: 'child_spawned', name, pid })
export const ready = (name: string): LaunchFact => ({ type: 'child_ready', name, ms: 400, facts: null })
export const planned = (name: string, afterMs = 0): LaunchFact => ({
  type: 'child_restart_planned',
  name,
  afterMs,
  free: false,
})
export const where: StackTop = {
  function: 'spin',
  file: 'pipelines/x.ts',
  line: 14,
  column: 1,
  frames: [],
  scope: 'p-1',
}

type Exit = Extract<LaunchFact, { type: 'child_exited' }>
export function exited(name: string, changes: Partial<Exit>): Exit {
  const facts = { pid: 7, code: null, signal: null, killedFor: null, lines: [], where: null, wanted: true }
  return { type: 'child_exited', name, reason: 'exited with code 1', ...facts, ...changes }
}
export const crash = (name: string) =>
  exited(name, { code: 1, lines: ['TypeError: no', '    at x (Error.ts:1)', 'Node.js v24'] })
export const killed = (name: string) => exited(name, { signal: 'SIGKILL', reason: 'was ended by SIGKILL' })
export const charged = (worker: string): LaunchFact => ({
  ...{ type: 'death_charged', worker, project: 'p1', stage: 'boom', deaths: 1, failed: false },
  reason: 'was ended by SIGKILL',
})
export const up = (name: string) => [spawned(name), ready(name)]
export const hang = 'gave no sign of life for 12.1 s'
export const stopped: LaunchFact = { type: 'stopped', ms: 5, left: [], waited: null }

export const programReady: LaunchFact = {
  ...{
    type: 'ready',
    version: '1.0.0',
    ms: 900,
    url: 'http://localhost:8000',
    dataDir: 'data',
    workers: [],
    notes: [],
  },
  ...{
    redis: { mode: 'spawned', where: 'a socket', why: null, warning: null },
    pipelines: { names: [], problems: [] },
  },
  ...{
    providers: { ffmpeg: { path: 'ffmpeg' }, models: null, text: 'builtin', speech: 'silence' },
    interrupted: [],
    resume: 'auto',
  },
  ...{ loginUrl: null, outerLimit: null, withoutInit: false },
}

/** Entries of one run, each so many seconds after 14:02:00. */
export function at(...all: [seconds: number, ...facts: LaunchFact[]][]): ChronicleEntry[] {
  const entries: ChronicleEntry[] = []
  let ms = START
  const append = (entry: Omit<ChronicleEntry, 'id'>) => entries.push({ id: entries.length + 1, ...entry })
  const recorder = createRecorder({ append }, 'r1', () => ms)
  for (const [seconds, ...facts] of all) {
    ms = START + seconds * 1_000
    facts.forEach(recorder.note)
  }
  return entries
}
