/** Everything the supervisor says about its children; somebody else puts it into words. */

export type Stream = 'stdout' | 'stderr'

export type SupervisorFact =
  | { type: 'child_spawned'; name: string; pid: number }
  /** `ms` counts from the spawn. */
  | { type: 'child_ready'; name: string; ms: number; facts: unknown }
  | { type: 'child_boot_missed'; name: string; deadlineMs: number }
  | { type: 'child_hung'; name: string; reason: string }
  | ({ type: 'child_exited'; name: string; pid: number | null; wanted: boolean } & ExitWords)
  | { type: 'child_repaired'; name: string; what: string }
  /** `free`: not counted against the child, because it recycled itself or lacked something it needs. */
  | { type: 'child_restart_planned'; name: string; afterMs: number; free: boolean }
  /** `retryMs` is null when only an operator can bring it back. */
  | { type: 'child_parked'; name: string; reason: string; retryMs: number | null }
  | { type: 'child_stopping'; name: string }
  /** `forced`: it had to be killed. */
  | { type: 'child_stopped'; name: string; ms: number; forced: boolean }
  | { type: 'child_line'; name: string; stream: Stream; line: string }

type ExitWords = { code: number | null; signal: string | null; reason: string; lines: string[] }
