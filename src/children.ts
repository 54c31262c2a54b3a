/** The table of child processes: one row each, in the order in which they are named to people. */
import { fileURLToPath } from 'node:url'
import type { Config } from './config.ts'
import type { ChildOrder } from './launch/order.ts'
import { INSPECTOR_FLAGS } from './supervisor/capture.ts'
import { BOOT_DEADLINE_MS, type ChildSpec } from './supervisor/spec.ts'

export type ChildrenOptions = {
  config: Config
  /** Variables by which a later run finds this run's processes, and the compile cache. */
  env: Record<string, string>
  order: (name: string, group: string | null) => ChildOrder
  /** Our own Redis, when there is one. */
  redis: ChildSpec | null
}

export function childSpecs(options: ChildrenOptions): ChildSpec[] {
  const { config, redis } = options
  const workers = config.workers.flatMap((group) =>
    Array.from({ length: group.processes }, (_, i) => workerSpec(options, `${group.name}-${i + 1}`, group.name)),
  )
  const scheduler = nodeSpec(options, { name: 'scheduler', group: 'scheduler', entry: './scheduler.ts' })
  return [...(redis ? [redis] : []), ...workers, scheduler]
}

/** One more process for a group. */
export function workerSpec(options: ChildrenOptions, name: string, group: string): ChildSpec {
  return nodeSpec(options, { name, group, entry: './worker.ts' })
}

type NodeChild = { name: string; group: string; entry: string }

function nodeSpec({ config, env, order, redis }: ChildrenOptions, { name, group, entry }: NodeChild): ChildSpec {
  return {
    name,
    group,
    kind: 'node',
    command: { file: process.execPath, args: [...NODE_FLAGS, entryPath(entry)], env },
    needs: redis ? [redis.name] : [],
    go: () => order(name, group === 'scheduler' ? null : group),
    ready: 'message',
    bootDeadlineMs: BOOT_DEADLINE_MS,
    stop: { graceMs: 5_000, signal: 'SIGTERM' },
    onParentDeath: 'KILL',
    inspect: { roots: [process.cwd(), ...(config.pipelinesDir ? [config.pipelinesDir] : [])] },
  }
}

/** A small young generation: the processes mostly wait, and it saves several megabytes in each. */
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2', ...INSPECTOR_FLAGS]

function entryPath(entry: string): string {
  return fileURLToPath(new URL(entry, import.meta.url))
}
