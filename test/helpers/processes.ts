/** What really runs, as /proc tells: the proof that nothing of a run is left does not trust our own tables. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { until } from '../../src/lib/until.ts'

export type RunningProcess = { pid: number; command: string }

/** Living processes whose environment holds `NAME=value`, zombies left out. */
export function processesWith(name: string, value: string): RunningProcess[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))
  return pids.flatMap((pid) => {
    const holds = readProc(pid, 'environ').split('\0').includes(`${name}=${value}`)
    return holds && isRunning(pid) ? [{ pid: Number(pid), command: readProc(pid, 'comm').trim() }] : []
  })
}

/** The shell that outlives a supervisor and ends what is left of its run: its child without the marks of our processes. */
export function guardianOf(supervisorPid: number): number {
  const shells = readdirSync('/proc').filter((pid) => {
    const isChild = /^\d+$/.test(pid) && statFields(pid)[1] === String(supervisorPid) && isRunning(pid)
    return isChild && readProc(pid, 'comm').trim() === 'sh' && !readProc(pid, 'environ').includes('SHOWRUNNER_RUN_ID=')
  })
  assert.equal(shells.length, 1, `one guardian: ${shells.join(', ')}`)
  return Number(shells[0])
}

export function isGone(pid: number): boolean {
  return !isRunning(String(pid))
}

export async function untilGone(pids: readonly number[], timeoutMs = 10_000): Promise<void> {
  await until(() => pids.every(isGone), { timeoutMs, everyMs: 10, what: `the processes ${pids.join(', ')} to be gone` })
}

function isRunning(pid: string): boolean {
  const [state] = statFields(pid)
  return state !== undefined && state !== '' && state !== 'Z' && state !== 'X'
}

/** From the state on: the name before it may hold spaces and brackets. */
function statFields(pid: string): string[] {
  const text = readProc(pid, 'stat')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return '' // gone in the meantime
  }
}
