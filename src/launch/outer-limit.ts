/** Whoever runs us from outside (systemd, Kubernetes, Docker) kills what has not stopped in time: how long is that? */
import { existsSync, readFileSync } from 'node:fs'
import { exec } from '../lib/exec.ts'

export type OuterLimit = { by: 'setting' | 'systemd' | 'kubernetes' | 'docker'; seconds: number }

/** What the environment says of where we run; config.ts reads it. */
export type Outside = { readonly stopTimeoutS: number | null; readonly systemd: boolean; readonly kubernetes: boolean }

export type Surroundings = {
  setting: number | null
  /** Null when no service manager runs us; Infinity when it would wait for ever. */
  systemdS: number | null
  kubernetes: boolean
  container: boolean
}

/** What each of them does when nobody has told it otherwise, which cannot be seen from inside. */
const KUBERNETES_S = 30
const DOCKER_S = 10

/** The one that will count; null when nobody outside sets a limit. Pure. */
export function decideOuterLimit({ setting, systemdS, kubernetes, container }: Surroundings): OuterLimit | null {
  if (setting !== null) return { by: 'setting', seconds: setting }
  if (systemdS !== null) return Number.isFinite(systemdS) ? { by: 'systemd', seconds: systemdS } : null
  if (kubernetes) return { by: 'kubernetes', seconds: KUBERNETES_S }
  return container ? { by: 'docker', seconds: DOCKER_S } : null
}

export async function findOuterLimit({ stopTimeoutS, systemd, kubernetes }: Outside): Promise<OuterLimit | null> {
  const ask = systemd && stopTimeoutS === null // asking takes a process of its own
  const systemdS = ask ? await systemdLimitS(readOr('/proc/self/cgroup')) : null
  return decideOuterLimit({ setting: stopTimeoutS, systemdS, kubernetes, container: isFirst() && isContainer() })
}

/** Only the first process of a container, and what an init passes it on to, hears of a stop: a shell in it does not. */
function isFirst(): boolean {
  return process.pid === 1 || process.ppid === 1
}

/** Docker and Podman each leave a file; an older Docker shows itself in the control group. */
function isContainer(): boolean {
  if (existsSync('/.dockerenv') || existsSync('/run/.containerenv')) return true
  return /\/(docker|libpod|lxc\/docker)[-/]/.test(readOr('/proc/self/cgroup'))
}

const ASK_MS = 1_000

/** The variables of systemd are inherited, by the terminals of a desktop too: the unit must be ours. */
async function systemdLimitS(cgroup: string): Promise<number | null> {
  const unit = unitOf(cgroup)
  if (unit === null) return null
  const manager = unit.ofUser ? ['--user'] : []
  const args = [...manager, 'show', '--property=MainPID,TimeoutStopUSec', '--', unit.name]
  // No systemctl here, or a manager that does not answer: then nothing is known.
  const answer = await exec('systemctl', args, { timeoutMs: ASK_MS, killAfterMs: 100 }).catch(() => null)
  return answer && limitFrom(answer.stdout, [process.pid, process.ppid])
}

/** The service that a process belongs to, by its control group (cgroups(7)); null for sessions and the like. */
export function unitOf(cgroup: string): { name: string; ofUser: boolean } | null {
  const paths = cgroup.split('\n').map((line) => line.split(':'))
  const path = (paths.find(([, names]) => names === 'name=systemd') ?? paths.find(([id]) => id === '0'))?.[2] ?? ''
  const name = path.split('/').at(-1) ?? ''
  return name.endsWith('.service') ? { name, ofUser: /\/user@\d+\.service\//.test(path) } : null
}

/** Seconds from `systemctl show`, when the unit's main process is one of `pids`; null when not. */
export function limitFrom(properties: string, pids: readonly number[]): number | null {
  const of = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(properties)?.[1] ?? ''
  return pids.includes(Number(of('MainPID'))) ? parseTimeSpan(of('TimeoutStopUSec')) : null
}

const UNITS_S: Record<string, number> = { us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3_600, d: 86_400, w: 604_800 }

/** Seconds of a span as systemd.time(7) writes it, e.g. `1min 30s` or `infinity`; null for anything else. */
export function parseTimeSpan(text: string): number | null {
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  const parts = text.split(' ').map((part) => /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(part))
  const seconds = parts.map((part) => Number(part?.[1]) * (UNITS_S[part?.[2] ?? ''] ?? Number.NaN))
  const sum = seconds.reduce((total, part) => total + part, 0)
  return Number.isFinite(sum) ? sum : null
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // a system without /proc
  }
}
