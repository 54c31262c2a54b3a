/** What a verb of the command line is, and what it may use. */
import type { Config } from '../config.ts'
import type { Connection } from './connection.ts'
import type { Output } from './output.ts'

export type Options = Record<string, unknown>

export type VerbContext = {
  out: Output
  /** Throws `settings`. Read at the first use, so that `doctor` can report what is wrong with them. */
  config(): Config
  /** Throws `unavailable` when no server runs. */
  connect(): Promise<Connection>
  /** Aborts on Ctrl+C and at the end of `--timeout`. */
  signal: AbortSignal
}

export type VerbOption = readonly [flags: string, meaning: string, how?: 'required' | 'repeatable']

export type Verb = {
  /** Name and arguments, as commander reads them, e.g. `cancel <id>`. */
  usage: string
  summary: string
  options?: readonly VerbOption[]
  /** Applies without `--timeout`. */
  timeoutS?: number
  /** Returns the exit code. What it throws is printed, and ends with the code of its error. */
  run(context: VerbContext, args: readonly string[], options: Options): Promise<number>
}
