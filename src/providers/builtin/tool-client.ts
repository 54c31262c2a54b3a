/** The parent's side of the analysing and drawing child: started on first use, gone when disposed or aborted. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../lib/errors.ts'
import { inheritedEnv } from '../../lib/exec.ts'
import { signalGroup } from '../../lib/process-tree.ts'
import { spawnTethered } from '../../lib/tether.ts'
import type { Work } from '../provider.ts'
import { type Answer, encodeLine, type Methods, type Request } from './tool-protocol.ts'

export type Tool = AsyncDisposable & {
  /** Many calls may be under way. Throws the child's error, the signal's reason, or `program_failed` when it died. */
  call<M extends keyof Methods>(method: M, params: Methods[M]['params']): Promise<Methods[M]['result']>
}

type Waiting = { resolve: (value: any) => void; reject: (error: unknown) => void }

/** Starts nothing yet. `env` is added to the child's environment. */
export function openTool(work: Work, env: Record<string, string> = {}): Tool {
  const waiting = new Map<number, Waiting>()
  let child: ChildProcess | undefined
  let exited: Promise<void> | undefined
  let lastId = 0
  const kill = () => child?.pid && signalGroup(child.pid, 'SIGKILL')
  const begin = () => {
    const started = startTool(work, env)
    child = started
    exited = ended(started).then((why) => {
      child = undefined // a later call begins a new one
      work.signal.removeEventListener('abort', kill)
      failAll(
        waiting,
        work.signal.aborted ? work.signal.reason : new AppError('program_failed', why, { retryable: true }),
      )
    })
    work.signal.addEventListener('abort', kill, { once: true })
    createInterface({ input: started.stdout! }).on('line', (line) => settle(waiting, JSON.parse(line) as Answer))
    return started
  }
  return {
    async call(method, params) {
      work.signal.throwIfAborted()
      const { stdin } = child ?? begin()
      const id = ++lastId
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        stdin!.write(encodeLine({ id, method, params } as Request))
      })
    },
    async [Symbol.asyncDispose]() {
      kill()
      await exited
    },
  }
}

function startTool(work: Work, env: Record<string, string>): ChildProcess {
  const entry = fileURLToPath(new URL('./tool-child.ts', import.meta.url))
  const child = spawnTethered(process.execPath, ['--disable-warning=ExperimentalWarning', entry], {
    cwd: work.folder,
    env: inheritedEnv(env),
    stdio: ['pipe', 'pipe', 'pipe'],
    nice: work.nice,
  })
  child.stdin!.on('error', () => {}) // it died; its exit says so to everyone who waits
  return child
}

/** Resolves, once the child is gone and its pipes are read, with a sentence that says why. */
function ended(child: ChildProcess): Promise<string> {
  let stderr = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4_000)
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`The builtin tool could not be started: ${error.message}`))
    child.once('close', (code, signal) => {
      const last = stderr.trim().split('\n').at(-1) ?? ''
      resolve(`The builtin tool ended (${signal ?? `code ${code}`})${last ? `: ${last}` : ''}`)
    })
  })
}

function settle(waiting: Map<number, Waiting>, { id, result, error }: Answer): void {
  const caller = waiting.get(id)
  waiting.delete(id)
  if (error) caller?.reject(new AppError(error.code, error.message))
  else caller?.resolve(result)
}

function failAll(waiting: Map<number, Waiting>, error: unknown): void {
  for (const caller of waiting.values()) caller.reject(error)
  waiting.clear()
}
