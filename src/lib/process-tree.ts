/** What the operating system knows of processes, and how to end whole groups of them. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import treeKill from 'tree-kill'
import { errnoOf } from './errors.ts'
import { until } from './until.ts'

export type ProcessStat = {
  pid: number
  state: string
  ppid: number
  pgid: number
  startTicks: string
  cpuTicks: number
  rssPages: number
}

/** Fields of /proc/<pid>/stat (proc(5)), or undefined when there is no such process or no /proc. */
export function statOf(pid: number): ProcessStat | undefined {
  try {
    return parseStat(pid, readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return undefined // gone, or a system without /proc
  }
}

/** The command name may hold spaces and brackets, so fields are counted from the last bracket. */
function parseStat(pid: number, text: string): ProcessStat {
  const f = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return {
    pid,
    state: f[0]!,
    ppid: Number(f[1]),
    pgid: Number(f[2]),
    startTicks: f[19]!,
    cpuTicks: Number(f[11]) + Number(f[12]),
    rssPages: Number(f[21]),
  }
}

/** A process as a value that survives pid reuse: the pid together with its start time. */
export type ProcessIdentity = { pid: number; started: string }

export function identityOf(pid: number): ProcessIdentity {
  return { pid, started: statOf(pid)?.startTicks ?? '' }
}

/** True when that very process (not a later one with its pid) runs; a zombie counts as dead. */
export function isAlive(who: ProcessIdentity): boolean {
  const stat = statOf(who.pid)
  if (stat) return stat.state !== 'Z' && stat.state !== 'X' && (who.started === '' || stat.startTicks === who.started)
  return hasProc ? false : signalReaches(who.pid)
}

const hasProc = statOf(process.pid) !== undefined

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) === 'EPERM'
  }
}

/** Sends `signal` to a whole process group; one that is gone, or (macOS: EPERM) only zombies, is not an error. */
export function signalGroup(pgid: number, signal: NodeJS.Signals): void {
  try {
    if (process.platform === 'win32') treeKill(pgid, signal)
    else process.kill(-pgid, signal)
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH' && errnoOf(error) !== 'EPERM') throw error
  }
}

/** Sends `signal` to one process; one that is gone, or another user's, is not an error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH' && errnoOf(error) !== 'EPERM') throw error
  }
}

/** The children of a process and all below them, parents first. Linux only; elsewhere the answer is empty. */
export function descendantsOf(pid: number): number[] {
  if (!hasProc) return []
  const all = readdirSync('/proc').flatMap((entry) => (/^\d+$/.test(entry) ? (statOf(Number(entry)) ?? []) : []))
  const children = Map.groupBy(all, (stat) => stat.ppid)
  const found: number[] = []
  for (let parents = [pid]; parents.length > 0; ) {
    parents = parents.flatMap((parent) => (children.get(parent) ?? []).map((child) => child.pid))
    found.push(...parents)
  }
  return found
}

/** True when no member of the group is left (zombies count as gone). */
export function isGroupEmpty(pgid: number): boolean {
  const entries = hasProc ? listProc() : null
  if (!entries) return !signalReaches(-pgid)
  for (const entry of entries) {
    const stat = /^\d+$/.test(entry) ? statOf(Number(entry)) : undefined
    if (stat?.pgid === pgid && stat.state !== 'Z' && stat.state !== 'X') return false
  }
  return true
}

function listProc(): string[] | null {
  try {
    return readdirSync('/proc')
  } catch {
    return null // no descriptor is left
  }
}

/** Kills a group and waits until it is empty; throws `timeout` when it is not after `timeoutMs`. */
export async function endGroup(pgid: number, timeoutMs = 3_000): Promise<void> {
  signalGroup(pgid, 'SIGKILL')
  await until(() => isGroupEmpty(pgid), { timeoutMs, everyMs: 10, what: `process group ${pgid} to end` })
}

/** Processes whose environment holds `NAME=value`. Linux only; elsewhere the answer is empty. */
export async function findByEnvironment(name: string, value: string): Promise<number[]> {
  const wanted = `${name}=${value}`
  const entries = await readdir('/proc').catch(() => [] as string[])
  const found = await Promise.all(entries.filter((e) => /^\d+$/.test(e)).map((e) => hasVariable(Number(e), wanted)))
  return found.filter((pid) => pid !== undefined)
}

async function hasVariable(pid: number, wanted: string): Promise<number | undefined> {
  if (pid === process.pid) return undefined
  const text = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '') // gone, or another user's
  if (!text.split('\0').includes(wanted)) return undefined
  return isAlive(identityOf(pid)) ? pid : undefined
}

/** Who listens on a local TCP port, as `pid (command)`, when /proc can tell. */
export function ownerOfPort(port: number): string | undefined {
  const inode = listeningInode(port)
  if (!inode) return undefined
  for (const pid of readdirSync('/proc').filter((e) => /^\d+$/.test(e))) {
    if (holdsSocket(pid, inode)) return `${commandOf(pid)} (pid ${pid})`
  }
  return undefined
}

function listeningInode(port: number): string | undefined {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const row = readOr(table)
      .split('\n')
      .find((line) => {
        const f = line.trim().split(/\s+/)
        return f[1]?.endsWith(`:${wanted}`) && f[3] === '0A' // 0A = LISTEN
      })
    if (row) return row.trim().split(/\s+/)[9]
  }
  return undefined
}

function holdsSocket(pid: string, inode: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`)
  } catch {
    return false // gone, or another user's process
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // the descriptor was closed in between
  }
}

function commandOf(pid: string): string {
  return readOr(`/proc/${pid}/comm`).trim() || 'a process'
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
