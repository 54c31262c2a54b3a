/** Shows a stop while it goes on: rewritten in place on a terminal, elsewhere a line now and then. */
import type { LaunchFact } from './facts.ts'
import type { Terminal } from './output.ts'
import type { StopView } from './stop-board.ts'
import { stopLines } from './stop-words.ts'

export type StopDisplayOptions = {
  /** Null while nothing stops. */
  view: () => StopView | null
  /** Null where lines cannot be rewritten. */
  terminal: Terminal | null
  say: (fact: LaunchFact) => void
}

export type StopDisplay = {
  /** Every fact, after it has been said: it begins with `stopping` and ends with `stopped`. */
  note(fact: LaunchFact): void
}

const FIRST_MS = 100
const REWRITE_EVERY_MS = 500
const SAY_EVERY_MS = 5_000

export function createStopDisplay(options: StopDisplayOptions): StopDisplay {
  const { terminal } = options
  let first: NodeJS.Timeout | undefined
  let timer: NodeJS.Timeout | undefined
  let isShown = false
  // After Ctrl+Z and `fg` the lines of the shell stand below ours.
  const onContinue = () => terminal?.forget()

  function begin(): void {
    process.on('SIGCONT', onContinue)
    timer = setInterval(show, terminal ? REWRITE_EVERY_MS : SAY_EVERY_MS).unref()
    // The children hear of the stop first, and the titles have to be read. What is over in a moment shows nothing.
    first = setTimeout(() => {
      if (isBusy(options.view())) show()
    }, FIRST_MS).unref()
  }

  function show(): void {
    const now = options.view()
    if (!now) return
    if (terminal) terminal.show(stopLines(now, { columns: terminal.columns(), rows: terminal.rows() }))
    else for (const child of now.children) if (child.jobs.length > 0) options.say({ type: 'stop_waiting', ...child })
    isShown = true
  }

  function end(): void {
    process.off('SIGCONT', onContinue)
    clearTimeout(first)
    clearInterval(timer)
    isShown = false
    terminal?.show([])
  }

  return {
    note({ type }) {
      if (type === 'stopping') begin()
      else if (type === 'stopped') end()
      else if (isShown && terminal && CHANGES.has(type)) show()
    },
  }
}

/** What people wait to see. */
const CHANGES = new Set<LaunchFact['type']>(['child_stopped', 'component_stopped', 'stop_escalated'])

function isBusy(view: StopView | null): boolean {
  return view?.children.some((child) => child.jobs.length > 0) ?? false
}
