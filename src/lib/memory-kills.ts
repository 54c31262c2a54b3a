/** Whether the kernel has just killed something for want of memory: such a SIGKILL comes from nobody. */
import { readFileSync } from 'node:fs'

export type MemoryKills = {
  /** True when there was such a kill in the last few seconds. */
  justNow(): boolean
  stop(): void
}

/** A death is looked at no later than this after it happened; an older kill was somebody else's. */
const LOOK_EVERY_MS = 5_000

/** `read` gives how many such kills there have been, or null where nobody counts them. */
export function createMemoryKills(read: () => number | null = countMemoryKills): MemoryKills {
  let [before, last] = [read(), read()]
  if (last === null) return { justNow: () => false, stop() {} }
  const timer = setInterval(() => {
    before = last
    last = read()
  }, LOOK_EVERY_MS).unref()
  return {
    justNow: () => (read() ?? 0) > (before ?? 0),
    stop: () => clearInterval(timer),
  }
}

/** Our own control group's count where it has one (cgroups 2, 1), else the machine's (proc(5): vmstat, since Linux 4.13). */
function countMemoryKills(): number | null {
  for (const path of counterFiles()) {
    const count = /^oom_kill (\d+)$/m.exec(readOr(path))?.[1]
    if (count !== undefined) return Number(count)
  }
  return null
}

function counterFiles(): string[] {
  const groups = readOr('/proc/self/cgroup').trim().split('\n')
  return [...groups.flatMap(counterFileOf), '/proc/vmstat']
}

/** Lines of cgroups(7): `0::/path` of version 2, `4:memory:/path` of version 1. A container sees its own group as the root. */
function counterFileOf(line: string): string[] {
  const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
  if (controllers === '') return [`/sys/fs/cgroup${path}/memory.events`, '/sys/fs/cgroup/memory.events']
  if (!controllers.split(',').includes('memory')) return []
  return [`/sys/fs/cgroup/memory${path}/memory.oom_control`, '/sys/fs/cgroup/memory/memory.oom_control']
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // another version of cgroups, or no Linux
  }
}
