/** The real command line as a process, against the real API over dependencies in memory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '../../src/api/server.ts'
import { silentLog } from '../../src/lib/log.ts'
import { type Fake, fakeApp, fakeDeps } from '../api/deps.ts'

export type CliResult = { code: number | null; stdout: string; stderr: string }
export type CliOptions = { input?: string; env?: NodeJS.ProcessEnv; onChild?: (child: ChildProcess) => void }

const CLI = join(import.meta.dirname, '../../src/cli.ts')
const TIMEOUT_MS = 60_000

/** A data folder without a server; `cwd` of every command, so that no `.env` of the developer comes in. */
export function tempFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'showrunner-cli-'))
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Runs `showrunner <args>` on a data folder to its end. */
export function runCli(dataDir: string, args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: dataDir, ...options.env }
  const argv = ['--disable-warning=ExperimentalWarning', CLI, ...args]
  const child = spawn(process.execPath, argv, { cwd: dataDir, env, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' })
  options.onChild?.(child)
  child.stdin.on('error', () => {}) // it may end without reading
  child.stdin.end(options.input ?? '')
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...output }))
  })
}

/** A server that has announced itself in its data folder, as `npm start` does. */
export async function startFake(changes: Parameters<typeof fakeDeps>[0] = {}) {
  const deps: Fake = fakeDeps(changes)
  const server = await startServer(fakeApp(deps), { host: '127.0.0.1', port: 0, log: silentLog })
  const run = { pid: process.pid, url: server.url, run_id: 'test', started_at: new Date().toISOString() }
  const redis = { url: 'redis://127.0.0.1:7777/0' }
  writeFileSync(join(deps.folder, 'run.json'), JSON.stringify({ ...run, redis }))
  return {
    deps,
    url: server.url,
    folder: deps.folder,
    cli: (args: readonly string[], options?: CliOptions) => runCli(deps.folder, args, options),
    async [Symbol.asyncDispose]() {
      await server.close(0)
      deps[Symbol.dispose]()
    },
  }
}
