/** CPU and memory of each child, sampled every two seconds. */

import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'
import { statOf } from '../lib/process-tree.ts'

/** `cpu_s`: used since it was spawned, in user and system mode. */
export type Usage = { rss_bytes: number; cpu_percent: number; cpu_s: number }

/** `of` knows a process that has just ended too, up to the next round. */
export type UsageMeter = { of(pid: number): Usage; stop(): void }

type Sample = Usage & { atMs: number }

export const NO_USAGE: Usage = { rss_bytes: 0, cpu_percent: 0, cpu_s: 0 }

export function createUsageMeter(pids: () => number[], everyMs = 2_000): UsageMeter {
  const measure = process.platform === 'linux' ? createProcReader() : readWithPidusage
  let samples = new Map<number, Sample>()
  let busy = false

  async function sample(): Promise<void> {
    if (busy) return
    busy = true
    try {
      const next = await Promise.all(pids().map(async (pid) => [pid, await newest(pid)] as const))
      samples = new Map(next.filter((entry): entry is [number, Sample] => entry[1] !== undefined))
    } finally {
      busy = false
    }
  }

  /** Between its end and the news of it a process cannot be measured any more. */
  async function newest(pid: number): Promise<Sample | undefined> {
    const last = samples.get(pid)
    return (await measure(pid, last)) ?? last
  }

  const timer = setInterval(() => void sample(), everyMs).unref()
  return {
    of(pid) {
      if (!samples.has(pid)) void sample() // new since the last round: the next question gets an answer
      const { rss_bytes, cpu_percent, cpu_s } = samples.get(pid) ?? NO_USAGE
      return { rss_bytes, cpu_percent, cpu_s }
    },
    stop: () => clearInterval(timer),
  }
}

/** Reading /proc costs 0.02 ms per process; a `ps` would cost 8. */
function createProcReader() {
  const { pageBytes, ticksPerS } = readAuxv()
  return async (pid: number, before: Sample | undefined): Promise<Sample | undefined> => {
    const stat = statOf(pid)
    if (!stat) return undefined
    const atMs = performance.now()
    const cpu_s = stat.cpuTicks / ticksPerS
    const cpu_percent = before ? percent((cpu_s - before.cpu_s) * 1_000, atMs - before.atMs) : 0
    return { rss_bytes: stat.rssPages * pageBytes, cpu_percent, cpu_s, atMs }
  }
}

function percent(cpuMs: number, wallMs: number): number {
  return wallMs > 0 ? Math.round((cpuMs / wallMs) * 1_000) / 10 : 0
}

/** AT_PAGESZ (6) and AT_CLKTCK (17) of getauxval(3): arm64 kernels have pages of 4, 16 or 64 KB. */
function readAuxv(): { pageBytes: number; ticksPerS: number } {
  const found = { pageBytes: 4_096, ticksPerS: 100 }
  try {
    const auxv = readFileSync('/proc/self/auxv')
    for (let at = 0; at + 16 <= auxv.length; at += 16) {
      const key = word(auxv, at)
      if (key === 6) found.pageBytes = word(auxv, at + 8)
      if (key === 17) found.ticksPerS = word(auxv, at + 8)
    }
  } catch {
    return found // /proc may be hidden; these values hold on nearly every kernel
  }
  return found
}

function word(auxv: Buffer, at: number): number {
  return Number(endianness() === 'LE' ? auxv.readBigUInt64LE(at) : auxv.readBigUInt64BE(at))
}

/** The portable path: it asks `ps`. */
async function readWithPidusage(pid: number): Promise<Sample | undefined> {
  try {
    // @ts-expect-error: pidusage publishes no types
    const { default: pidusage } = (await import('pidusage')) as {
      default: (pid: number) => Promise<{ cpu: number; memory: number; ctime: number }>
    }
    const { cpu, memory, ctime } = await pidusage(pid)
    return { rss_bytes: memory, cpu_percent: cpu, cpu_s: ctime / 1_000, atMs: 0 }
  } catch {
    return undefined // it ended in between
  }
}
