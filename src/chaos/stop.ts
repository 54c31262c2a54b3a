/** The end of every trial: stopped as a user stops it, after which nothing may be left. */
import { existsSync } from 'node:fs'
import { until } from '../lib/until.ts'
import type { Finding } from './audit.ts'
import { lockFindings } from './examine.ts'
import type { Exit, Program } from './program.ts'
import type { Rig } from './rig.ts'
import { commandLineOf } from './victims.ts'

const STOP_MS = 30_000
const GONE_MS = 3_000

/** `present` is the one that served last, or null; its address is asked for before it stops. */
export async function stopAndLook(
  rig: Pick<Rig, 'launched' | 'pids' | 'kill' | 'layout'>,
  present: (Pick<Program, 'exited'> & { url?: string }) | null,
  signal: AbortSignal,
): Promise<Finding[]> {
  const early = present?.exited() ?? null
  const findings: Finding[] = early
    ? [{ kind: 'wrong', text: `the program had ended before it was to be stopped: ${exitText(early)}` }]
    : []
  // One that has not come so far as to serve is stopped as well: only what remains then is left.
  for (const program of rig.launched()) if (program.exited() === null) findings.push(...(await stop(program, signal)))
  findings.push(...(await leftOf(rig, signal)))
  await rig.kill()
  return [...findings, ...(await lockFindings(rig.layout, present?.url ?? null))]
}

/** What a stop in good order has left at this moment. */
export async function stopFindings(rig: Pick<Rig, 'pids' | 'layout'>): Promise<Finding[]> {
  const stale: Finding[] = existsSync(rig.layout.run)
    ? [{ kind: 'left', text: `${rig.layout.run}, which says that it serves` }]
    : []
  return [...(await processFindings(rig)), ...stale]
}

async function processFindings(rig: Pick<Rig, 'pids'>): Promise<Finding[]> {
  const pids = await rig.pids()
  return pids.map((pid) => ({
    kind: 'left',
    text: `process ${pid} (${commandLineOf(pid).replaceAll('\0', ' ').trim()}) after the stop`,
  }))
}

async function stop(program: Program, signal: AbortSignal): Promise<Finding[]> {
  program.signal('SIGTERM')
  const wait = { timeoutMs: STOP_MS, everyMs: 10, signal, what: 'the program to stop' }
  const exit = await until(program.exited, wait).catch(() => {
    signal.throwIfAborted()
    return null // late, which is a finding
  })
  if (exit?.code === 0) return []
  const how = exit === null ? `not within ${STOP_MS / 1_000} s` : exitText(exit)
  return [{ kind: 'wrong', text: `SIGTERM did not end it well: ${how}` }]
}

function exitText({ code, signal }: Exit): string {
  return signal ?? `exit code ${code}`
}

async function leftOf(rig: Pick<Rig, 'pids'>, signal: AbortSignal): Promise<Finding[]> {
  try {
    const what = 'all processes to be gone'
    await until(async () => (await rig.pids()).length === 0, { timeoutMs: GONE_MS, everyMs: 10, signal, what })
    return []
  } catch {
    signal.throwIfAborted()
    return processFindings(rig)
  }
}
