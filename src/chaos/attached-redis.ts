/** A Redis that is none of the program's: it attaches to it, and we take it away and bring it back, always empty. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { spawnTethered } from '../lib/tether.ts'
import { until } from '../lib/until.ts'
import { findRedisBinary } from '../redis/binary.ts'
import { knock } from '../redis/knock.ts'
import { findFreePort } from '../redis/port.ts'

export type AttachedRedis = {
  /** By which the program finds it. */
  readonly env: Record<string, string>
  /** Resolves when it answers. Throws `timeout`. */
  start(): Promise<void>
  /** SIGKILL; it has nothing on the disk that could come back. */
  end(): Promise<void>
  /** The same, without waiting. */
  kill(): void
}

const READY_MS = 10_000
const KNOCK_MS = 300

export async function createAttachedRedis(folder: string): Promise<AttachedRedis> {
  const binary = await findRedisBinary({ onProgress() {}, build: null })
  const port = await findFreePort()
  let child: ChildProcess | null = null
  const kill = () => void child?.kill('SIGKILL')
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
  return {
    env: { REDIS: 'attach', REDIS_URL: `redis://127.0.0.1:${port}/0` },
    async start() {
      child = spawnTethered(binary, options, { stdio: ['ignore', 'ignore', 'ignore'] }) // signals of our terminal are not for it
      const answers = async () => (await knock({ host: '127.0.0.1', port }, KNOCK_MS)) === null
      await until(answers, { timeoutMs: READY_MS, what: 'the attached Redis to answer' })
    },
    async end() {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      kill()
      await exit
    },
    kill,
  }
}
