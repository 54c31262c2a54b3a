/** Which TCP ports a process listens on, as /proc tells. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** How many there are, on IPv4. */
export function listenersOf(pid: number): number {
  const rows = readFileSync('/proc/net/tcp', 'latin1').trim().split('\n').slice(1)
  const listening = rows.map((row) => row.trim().split(/\s+/)).filter((row) => row[3] === '0A') // 0A = LISTEN
  const inodes = new Set(listening.map((row) => `socket:[${row[9]}]`))
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => inodes.has(linkOf(`/proc/${pid}/fd/${fd}`))).length
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // closed in between
  }
}
