/** Asks a Node process that hears of nothing where it is, through an inspector that is open only meanwhile. */
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { within } from '../lib/until.ts'
import type { StackTop } from './facts.ts'
import { type InspectorSession, openSession } from './inspector-session.ts'
import { READ_STACK, topOf } from './stack.ts'

/** For the command of a child: SIGUSR1 opens its inspector on a free loopback port under a secret name. */
export const INSPECTOR_FLAGS = ['--inspect-port=0', '--inspect-publish-uid=stderr']

export type StackReader = {
  /** Where the main thread is; null when it runs no JavaScript, or does not answer within `timeoutMs`. */
  read(timeoutMs: number): Promise<StackTop | null>
  /** The process gives signs of life again: its inspector is closed. */
  release(): void
  /** To be called with each line of its standard error; true for the inspector's own words about a reading. */
  takes(line: string): boolean
  /** The process has ended. */
  end(): void
}

const LISTENING = /^Debugger listening on (ws:\/\/127\.0\.0\.1:\d+\/[\w-]+)/
const INSPECTOR_LINE =
  /^(Debugger (listening on ws:|attached\.|ending on ws:)|For help, see: https:\/\/nodejs\.org\/|Waiting for the debugger to disconnect|Starting inspector on )/

/**
 * In the second turn of the loop: one that has just become free may still have to see the signal, and would open its
 * inspector again. The port is another one the next time.
 */
const CLOSE = `setImmediate(() => setImmediate(() => {
  process.debugPort = 0
  process.getBuiltinModule('node:inspector').close()
}))`

/** What the inspector wrote last may still be in the pipe. */
const LAST_LINES_MS = 2_000

export function createStackReader(pid: number, roots: readonly string[]): StackReader {
  const waiting = new Set<(top: StackTop | null) => void>()
  const inspector = createInspector(forgetSoon)
  /** Its inspector was opened by us. */
  let ours = false
  let isReleased = true
  let forgetting: NodeJS.Timeout | undefined

  function forgetSoon(): void {
    clearTimeout(forgetting)
    forgetting = setTimeout(() => {
      ours = false
    }, LAST_LINES_MS).unref()
  }

  /** A process in such a state may answer anything: what cannot be read is no answer, and never a fault of ours. */
  async function answer(): Promise<void> {
    try {
      settle(topOf(await inspector.evaluate(READ_STACK), roots))
    } catch {
      settle(null)
    }
    if (isReleased) await inspector.evaluate(CLOSE)
  }

  function settle(top: StackTop | null): void {
    for (const resolve of waiting) resolve(top)
    waiting.clear()
  }

  return {
    async read(timeoutMs) {
      if (!understands(pid)) return null
      clearTimeout(forgetting)
      ours = true
      isReleased = false
      const top = new Promise<StackTop | null>((resolve) => waiting.add(resolve))
      if (inspector.isOpen()) void answer()
      else ask(pid)
      return within(top, timeoutMs, null)
    },
    release() {
      isReleased = true
      void inspector.evaluate(CLOSE)
    },
    takes(line) {
      if (!ours || !INSPECTOR_LINE.test(line)) return false
      const url = LISTENING.exec(line)?.[1]
      if (url) {
        inspector.opened(url)
        void answer()
      }
      return true
    },
    end: () => settle(null),
  }
}

/** The inspector of one process: closed at first, known by where it listens, connected to when something is asked. */
function createInspector(onClosed: () => void) {
  let url: string | null = null
  let session: Promise<InspectorSession | undefined> | undefined

  function keep(connected: InspectorSession): InspectorSession {
    void connected.closed.then(() => {
      session = undefined
      url = null
      onClosed()
    })
    return connected
  }

  return {
    isOpen: () => url !== null,
    opened(at: string) {
      url = at
    },
    /** Null when it is closed, or did not answer. */
    async evaluate(expression: string): Promise<unknown> {
      if (url === null) return null
      session ??= openSession(url).then(keep, () => undefined)
      const connected = await session
      if (!connected) session = undefined // whoever asks next tries again
      return connected ? connected.evaluate(expression) : null
    },
  }
}

function ask(pid: number): void {
  try {
    process.kill(pid, 'SIGUSR1')
  } catch {
    // It has just ended, which is reported elsewhere.
  }
}

/** Most processes would die of the signal, and a stopped one would get it too late. Without /proc it is assumed. */
function understands(pid: number): boolean {
  const status = readStatus(pid)
  if (status === undefined) return process.platform !== 'linux'
  const state = /^State:\s(\w)/m.exec(status)?.[1] ?? 'X'
  const caught = BigInt(`0x${/^SigCgt:\s([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  const isCaught = ((caught >> BigInt(constants.signals.SIGUSR1 - 1)) & 1n) === 1n
  return !'TtZX'.includes(state) && isCaught
}

function readStatus(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1')
  } catch {
    return undefined // gone, or a system without /proc
  }
}
