/** The workers of one group, in memory. */
import type { Workforce } from '../../src/api/deps.ts'
import type { WorkerProcess } from '../../src/api/schemas/workers.ts'
import { AppError } from '../../src/lib/errors.ts'

export function createFakeWorkforce(): Workforce {
  return {
    list: () => [workerProcess()],
    restart(name) {
      if (name === 'redis') throw new AppError('wrong_state', 'Redis is not restarted by hand')
      if (name !== 'io-1') throw new AppError('not_found', `There is no process ${name}`)
      return { name, message: `${name} is being replaced` }
    },
    scale({ group, processes }, by) {
      if (group === 'busy') throw new AppError('wrong_state', 'The program is stopping')
      if (group !== 'io') throw new AppError('not_found', `There is no group ${group}`)
      const names = Array.from({ length: processes }, (_, i) => `io-${i + 1}`)
      return { group, processes, names, message: `asked for by ${by}` }
    },
  }
}

export function workerProcess(): WorkerProcess {
  const active = [{ project_id: 'p1', stage: 'shout', since: '2026-01-01T00:00:00.000Z' }]
  return {
    name: 'io-1',
    group: 'io',
    queues: ['llm', 'image'],
    slot: 'io-1',
    role: 'current',
    pid: 4713,
    phase: 'ready',
    alive: true,
    ready: true,
    cpu_percent: 1.5,
    rss_bytes: 84_000_000,
    uptime_s: 61,
    restarts: 2,
    last_exit: { reason: 'was ended by SIGKILL', at: '2026-01-01T00:00:00.000Z', code: null, signal: 'SIGKILL' },
    jobs_done: 42,
    active,
    blocked: null,
    beat_age_s: 0.4,
  }
}
