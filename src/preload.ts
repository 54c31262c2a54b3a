/** The first module of every node child: what a child owes its parent, before anything else can fail. */
import { writeSync } from 'node:fs'
import { childVariables } from './child-env.ts'

keepFaults()
survivePoliteSignals()
followParent(childVariables().parentPid)

/** Output to a pipe is asynchronous, and process.exit would lose it: the reason of an end is written at once. */
function keepFaults(): void {
  process.on('uncaughtException', (error) => die('Uncaught error', error))
  process.on('unhandledRejection', (error) => die('Unhandled rejection', error))
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {}) // the reader is gone, and so are we soon
}

/**
 * A script of a stage that ends with `kill 0` signals our whole group, and with that every neighbour. We are ended by
 * a message, or by KILL; programs that we start do not inherit this.
 */
function survivePoliteSignals(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
}

function followParent(parentPid: number | null): void {
  process.on('disconnect', () => process.exit(1))
  if (parentPid === null) return
  // The parent may have ended before its death signal was armed.
  if (process.ppid !== parentPid) process.exit(1)
}

function die(what: string, error: unknown): never {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  try {
    writeSync(2, `${what}: ${text}\n`)
  } catch {
    process.exit(1) // nobody reads standard error any more
  }
  process.exit(1)
}
