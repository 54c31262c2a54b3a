/** The management command line: parses, runs one verb, and ends with its exit code. */
import { CommanderError } from 'commander'
import { createProgram } from './cli/program.ts'

/** As shells count them: 128 and the signal's number. A closed terminal equals SIGTERM. */
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 143 } as const
/** commander ends with 0 for help and 1 for wrong usage, for which ours is 2. */
const USAGE_CODE = 2
/** npm and the terminal each deliver the same Ctrl+C. */
const SAME_PRESS_MS = 500

const interruption = new AbortController()
let signalCode: number | undefined
let signalledMs = 0
for (const [signal, code] of Object.entries(SIGNAL_CODES)) {
  process.on(signal, () => {
    if (signalCode !== undefined && performance.now() - signalledMs < SAME_PRESS_MS) return
    if (signalCode !== undefined) process.exit(signalCode) // asked again: only what is synchronous is still done
    signalCode = code
    signalledMs = performance.now()
    interruption.abort()
  })
}
// Whoever reads our output may stop in the middle, e.g. `head`, or a terminal that was closed.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(signalCode ?? 0))

process.exitCode = await main()

async function main(): Promise<number> {
  let code = 0
  const environment = { stdout: process.stdout, stderr: process.stderr, interrupted: interruption.signal }
  try {
    await createProgram(environment, (result) => (code = result)).parseAsync()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : USAGE_CODE
  }
  return signalCode ?? code
}
