/** What SIGUSR2 asks for: one line for each process, how it is. */
import type { HeldJob } from '../queue/job.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import type { Phase } from './phase.ts'

export type ProcessFact = {
  type: 'process_status'
  name: string
  pid: number | null
  phase: string
  uptime_s: number
  restarts: number
  /** Stages that it runs. */
  jobs: number
}

export type ReportOf = { phase: Phase; children: ChildStatus[]; jobs: (pid: number | null) => HeldJob[] }

/** The supervisor's own comes first. */
export function processFacts({ phase, children, jobs }: ReportOf): ProcessFact[] {
  const uptime_s = Math.round(process.uptime())
  const own = { name: 'supervisor', pid: process.pid, phase, uptime_s, restarts: 0, jobs: 0 }
  const others = children.map((child) => ({
    name: child.name,
    pid: child.pid,
    phase: child.phase,
    uptime_s: Math.round(child.uptime_s),
    restarts: child.restarts,
    jobs: jobs(child.pid).length,
  }))
  return [own, ...others].map((facts) => ({ type: 'process_status', ...facts }))
}

export function processLine({ name, pid, phase, uptime_s, restarts, jobs }: ProcessFact): string {
  const parts = [
    pid === null ? 'no process' : `process ${pid}, up ${uptime_s} s`,
    ...(restarts > 0 ? [`${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`] : []),
    ...(jobs > 0 ? [`${jobs} ${jobs === 1 ? 'stage runs' : 'stages run'}`] : []),
  ]
  return `${name.padEnd(11)} ${phase}, ${parts.join(', ')}`
}
