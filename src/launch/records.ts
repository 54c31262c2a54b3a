/** What a run leaves for those who ask later: the chronicle of its processes, and a log of each. */
import { setImmediate } from 'node:timers/promises'
import { messageOf } from '../lib/errors.ts'
import { cleanJson, type Redactor } from '../lib/redact.ts'
import { type ChronicleEntry, openChronicle } from './chronicle.ts'
import { entryOf, slotOf } from './entries.ts'
import type { LaunchFact } from './facts.ts'
import { type LogFiles, openLogFiles } from './log-files.ts'
import { type LogStream, parsePrinted } from './log-line.ts'
import { createRecorder } from './recorder.ts'
import { endOfRun, type RunEnd } from './run-end.ts'
import { lastSignMs, startSigns } from './sign-of-life.ts'
import { factLine, levelOf } from './words.ts'

export type Records = {
  /** Keeps the fact and passes it on. */
  tell(fact: LaunchFact): void
  readonly logs: LogFiles
  /** Writes out what waits, before it returns. */
  flushSync(): void
  close(): Promise<void>
}

export type RecordsOptions = {
  folder: string
  runId: string
  version: string
  redactor: Redactor
  onFact: (fact: LaunchFact) => void
}

/** For the owner of the data folder: there is one writer. Keeps how the run before ended as the first fact. */
export async function openRecords({ folder, runId, version, redactor, onFact }: RecordsOptions): Promise<Records> {
  const faults = createFaults((reason) => tell({ type: 'log_fault', reason }))
  const [chronicle, logs] = await Promise.all([
    openChronicle(folder, { clean: redactor.clean, onFault: faults }),
    openLogFiles({ folder, onFault: faults }),
  ])
  const recorder = createRecorder(chronicle, runId)

  function tell(fact: LaunchFact): void {
    recorder.note(fact)
    writeLine(logs, fact, redactor)
    onFact(fact)
  }

  process.on('exit', logs.flushSync)
  tell({ type: 'booted', version, pid: process.pid, before: await findEnd(chronicle.before, folder) })
  const signs = startSigns(folder)
  return {
    tell,
    logs,
    flushSync: logs.flushSync,
    async close() {
      process.off('exit', logs.flushSync)
      signs.stop()
      await Promise.all([chronicle.close(), logs.close()])
    },
  }
}

/** Only after a run that was lost are its last signs worth the time of a start. */
async function findEnd(before: readonly ChronicleEntry[], folder: string): Promise<RunEnd | null> {
  const end = endOfRun(before)
  return end?.how === 'lost' ? endOfRun(before, await lastSignMs(folder)) : end
}

/** Said in a later turn: the fact is to be kept as well, by the files that have just failed. */
function createFaults(say: (reason: string | null) => void): (error: Error | null) => void {
  let failing = 0
  return (error) => {
    failing += error ? 1 : -1
    if (error ? failing === 1 : failing === 0) void setImmediate().then(() => say(error && messageOf(error)))
  }
}

function writeLine(logs: LogFiles, fact: LaunchFact, redactor: Redactor): void {
  if (fact.type === 'child_line') writePrinted(logs, { ...fact, process: slotOf(fact.name) })
  else if (fact.type === 'api_line') {
    const line = redactor.clean(fact.line)
    writePrinted(logs, { process: 'supervisor', pid: process.pid, stream: 'api', line })
  } else writeFact(logs, fact, redactor)
}

/** The supervisor has cleaned what its children print. */
function writePrinted(
  logs: LogFiles,
  { process, pid, stream, line }: { process: string; pid: number; stream: LogStream; line: string },
): void {
  logs.write({ process, pid, stream, ...parsePrinted(line, stream) })
}

/** Without a process's last output, which is in the log of its own; a fact of which there is nothing to say is none. */
function writeFact(logs: LogFiles, fact: LaunchFact, redactor: Redactor): void {
  const message = entryOf(fact)?.text ?? factLine(fact, { colour: false })?.trim()
  if (message === undefined) return
  const { type, lines: _, ...facts } = JSON.parse(cleanJson(fact, redactor.clean), wholeMs) as LoggedFact
  logs.write({
    process: 'supervisor',
    pid: process.pid,
    stream: 'fact',
    level: levelOf(fact),
    message: redactor.clean(message),
    facts: { event: type, ...facts },
  })
}

type LoggedFact = { type: string; lines?: unknown } & Record<string, unknown>

/** No wait of ours is known to a fraction of a millisecond. */
function wholeMs(key: string, value: unknown): unknown {
  return typeof value === 'number' && /(^m|M)s$/.test(key) ? Math.round(value) : value
}
