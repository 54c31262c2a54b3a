/** A second net below the death signals: a shell that outlives us and ends what is left of the run, whatever group or session it has fled to. Linux only. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { CHILD_ENVIRONMENT } from '../lib/child-environment.ts'
import { within } from '../lib/until.ts'

export type Guardian = {
  /** Sends it home: there is nothing left for it to do. */
  release(): Promise<void>
}

const AGAIN_AFTER_MS = 1_000
const GO_HOME_MS = 500

/** `termFirst`: commands that get TERM first, because they save on it. All are gone some two seconds after us. */
export function startGuardian(runId: string, termFirst: readonly string[]): Guardian {
  if (!existsSync('/proc/self/environ')) return { release: async () => {} }
  const args = ['-c', SCRIPT, `${CHILD_ENVIRONMENT.runId}=${runId}`, termFirst.join('|')]
  let isReleased = false
  let again: NodeJS.Timeout | undefined
  let shell = startOrWait()

  /** Some errnos throw, as for want of memory: nobody who waits for a second net may fall for it. */
  function startOrWait(): ChildProcess | null {
    try {
      return start()
    } catch {
      restart()
      return null
    }
  }

  function start(): ChildProcess {
    // It does not carry the variable itself, and has no terminal that could end it.
    const child = spawn('sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    child.stdin?.on('error', () => {}) // it was killed; its exit tells
    child.once('exit', restart)
    child.once('error', restart) // no shell, or no descriptor left; without it the next start ends what is left
    child.unref()
    return child
  }

  function restart(): void {
    if (isReleased) return
    again = setTimeout(() => {
      shell = startOrWait()
    }, AGAIN_AFTER_MS).unref()
  }

  return {
    async release() {
      isReleased = true
      clearTimeout(again)
      if (shell?.pid === undefined || shell.exitCode !== null || shell.signalCode !== null) return
      const gone = once(shell, 'exit')
      shell.stdin?.end('released\n')
      await within(gone, GO_HOME_MS, undefined)
    },
  }
}

/** $0: the variable that marks our processes. The end of standard input without a word is our end. */
const SCRIPT = `
trap '' HUP INT QUIT TERM
read -r word && exit 0
try=0
while left=$(grep -lsF -- "$0" /proc/[0-9]*/environ); [ -n "$left" ]; do
  try=$((try + 1))
  for path in $left; do
    pid=\${path#/proc/}
    pid=\${pid%/environ}
    signal=KILL
    if read -r command <"/proc/$pid/comm"; then
      case "|$1|" in *"|$command|"*) [ $try -gt 20 ] || signal=TERM ;; esac
    fi
    [ $signal = KILL ] || [ $try -eq 1 ] || continue
    kill -s $signal "$pid"
    kill -s CONT "$pid"
  done
  [ $try -lt 40 ] || exit 1
  sleep 0.1
done
`
