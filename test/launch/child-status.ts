/** The status of a worker that is well, but for what a test changes. */
import type { ChildStatus } from '../../src/supervisor/child-record.ts'

export function childStatus(changes: Partial<ChildStatus> = {}): ChildStatus {
  const name = changes.name ?? 'io-1'
  return {
    name,
    slot: name,
    role: 'current',
    group: 'io',
    pid: 11,
    phase: 'ready',
    alive: true,
    ready: true,
    restarts: 0,
    started_at: '2026-01-01T00:00:00.000Z',
    uptime_s: 60,
    last_exit: null,
    last_lines: [],
    beat: {},
    beat_age_s: 0.4,
    blocked: null,
    rss_bytes: 80_000_000,
    cpu_percent: 1,
    cpu_s: 1,
    ...changes,
  }
}
