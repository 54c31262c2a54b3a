/** What a child process is, as a value: the supervisor's only input about it. */

/** `env` holds the extra variables; they are added to the inherited ones. */
export type Command = { file: string; args: string[]; env: Record<string, string> }

export type ChildKind = 'node' | 'program'

export type ExitFacts = { code: number | null; signal: string | null; reason: string; lines: string[] }

export type ChildSpec = {
  name: string
  group: string
  /** node: has an IPC channel and speaks the protocol of messages.ts; program: anything else. */
  kind: ChildKind
  command: Command
  /** Names of children that must be ready before this one gets its `go` (a program: before it is spawned). */
  needs: readonly string[]
  /** Payload of the `go` message, asked for at the moment of sending. */
  go?: () => unknown
  /** node: a `ready` message. program: resolves when it serves; it polls itself until the signal aborts. */
  ready: 'message' | ((signal: AbortSignal) => Promise<void>)
  bootDeadlineMs: number
  stop: { graceMs: number; signal: NodeJS.Signals }
  onParentDeath: 'KILL' | 'TERM'
  /** It is started with INSPECTOR_FLAGS (capture.ts), so one can see where it hangs; files are named from `roots`. */
  inspect?: { roots: readonly string[] }
  /** Called after an unwanted end, before the restart: may put things right, and says in a sentence what it did. */
  repair?: (exit: ExitFacts) => Promise<string | null>
}

/** Covers the imports and first connections of a child on a slow machine under load. */
export const BOOT_DEADLINE_MS = 15_000
