/** Finds the processes of a kind by /proc, because nobody can be asked while the program is down or booting. */
import { readFileSync } from 'node:fs'
import type { Program } from './program.ts'
import type { Rig } from './rig.ts'
import type { VictimKind } from './soak-plan.ts'

/** By the command line. */
const PATTERNS: Record<Exclude<VictimKind, 'supervisor'>, RegExp> = {
  worker: /\/worker\.ts(\0|$)/,
  scheduler: /\/scheduler\.ts(\0|$)/,
  // Not the one that is only asked for its version at a start.
  redis: /^[^\0]*(redis|valkey)-server(?!\0--version)/,
}

export async function victimsOf(rig: Rig, program: Program, kind: VictimKind): Promise<number[]> {
  const pids = await rig.pids()
  if (kind === 'supervisor') return pids.filter((pid) => pid === program.pid)
  return pids.filter((pid) => PATTERNS[kind].test(commandLineOf(pid))).sort((a, b) => a - b)
}

/** The arguments, each ended by a zero byte. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return '' // gone meanwhile
  }
}
