/** The end of every trial: stopped as a user stops it, after which nothing may be left. */
import { until } from '../lib/until.ts'
import type { Finding } from './audit.ts'
import { lockFindings } from './examine.ts'
import type { Program } from './program.ts'
import type { Rig } from './rig.ts'
import { commandLineOf } from './victims.ts'

const STOP_MS = 30_000
const GONE_MS = 3_000

/** `program` is null when none could be started; its address is asked for before it stops. */
export async function stopAndLook(
  rig: Rig,
  program: (Program & { url?: string }) | null,
  signal: AbortSignal,
): Promise<Finding[]> {
  const stopped = program ? await stop(program, signal) : []
  const left = await leftOf(rig, signal)
  await rig.kill()
  return [...stopped, ...left, ...(await lockFindings(rig.layout, program?.url ?? null))]
}

async function stop(program: Program, signal: AbortSignal): Promise<Finding[]> {
  program.signal('SIGTERM')
  const wait = { timeoutMs: STOP_MS, everyMs: 10, signal, what: 'the program to stop' }
  const exit = await until(program.exited, wait).catch(() => {
    signal.throwIfAborted()
    return null // late, which is a finding
  })
  if (exit?.code === 0) return []
  const how = exit === null ? `not within ${STOP_MS / 1_000} s` : (exit.signal ?? `exit code ${exit.code}`)
  return [{ kind: 'wrong', text: `SIGTERM did not end it well: ${how}` }]
}

async function leftOf(rig: Rig, signal: AbortSignal): Promise<Finding[]> {
  try {
    const what = 'all processes to be gone'
    await until(async () => (await rig.pids()).length === 0, { timeoutMs: GONE_MS, everyMs: 10, signal, what })
    return []
  } catch {
    signal.throwIfAborted()
    const pids = await rig.pids()
    return pids.map((pid) => ({
      kind: 'left',
      text: `process ${pid} (${commandLineOf(pid).replaceAll('\0', ' ').trim()}) after the stop`,
    }))
  }
}
