/** Real Redis servers for tests: a plain one with any arguments, or our own under a supervisor. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { knock } from '../../src/redis/knock.ts'
import { prepareOwnRedis } from '../../src/redis/spawn.ts'
import type { SupervisorFact } from '../../src/supervisor/facts.ts'
import { createSupervisor } from '../../src/supervisor/supervisor.ts'
import { reservePort } from '../helpers/ports.ts'

export type PlainRedis = {
  port: number
  url: string
  end(signal?: NodeJS.Signals): Promise<void>
  pause(): void
  resume(): void
}

export async function startPlainRedis(t: TestContext, args: string[] = [], port?: number): Promise<PlainRedis> {
  const at = port ?? (await reservePort(t))
  const folder = await temporaryFolder(t)
  const child = spawn(
    'redis-server',
    ['--port', String(at), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...args],
    {
      stdio: 'ignore',
    },
  )
  const exit = once(child, 'exit')
  t.after(() => void child.kill('SIGKILL'))
  await until(async () => (await knock({ host: '127.0.0.1', port: at }, 300)) === null, { timeoutMs: 30_000 })
  return {
    port: at,
    url: `redis://127.0.0.1:${at}/0`,
    async end(signal = 'SIGKILL') {
      child.kill(signal)
      await exit
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  }
}

export async function superviseOwnRedis(t: TestContext, dataDir: string) {
  const { spec, place } = await prepareOwnRedis({ binary: 'redis-server', dataDir, port: null, env: {} })
  const facts: SupervisorFact[] = []
  const supervisor = createSupervisor({ specs: [spec], onFact: (fact) => facts.push(fact) })
  const stop = () => supervisor.stop(['redis'], { deadlineMs: performance.now() + 5_000 })
  t.after(async () => {
    supervisor.kill()
    await stop()
  })
  return { spec, place, facts, supervisor, stop, pid: () => supervisor.status()[0]!.pid! }
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'showrunner-redis-'))
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}
