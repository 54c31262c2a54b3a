/** The processes that carry our mark in their environment, found and killed at once: for when we are ended ourselves. */
import { readdirSync, readFileSync } from 'node:fs'
import { identityOf, isAlive } from '../lib/process-tree.ts'

const KILL_MS = 2_000
const LOOK_EVERY_MS = 10

/** False when the process was gone already. */
export function killQuietly(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false // ended a moment before
  }
}

/** Blocks until none is left, for two seconds at the most: who is killed may have started another one before. */
export function killMarkedNow(name: string, value: string): void {
  const deadline = performance.now() + KILL_MS
  for (let left = markedPids(name, value); left.length > 0; left = markedPids(name, value)) {
    for (const pid of left) killQuietly(pid, 'SIGKILL')
    if (performance.now() > deadline) return
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS)
  }
}

function markedPids(name: string, value: string): number[] {
  const wanted = `${name}=${value}`
  const pids = readdirSync('/proc').flatMap((entry) => (/^\d+$/.test(entry) ? [Number(entry)] : []))
  return pids.filter((pid) => pid !== process.pid && environmentOf(pid).includes(wanted) && isAlive(identityOf(pid)))
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
  } catch {
    return [] // gone, or another user's
  }
}
