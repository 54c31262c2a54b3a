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

const REWRITE_EVERY_MS = 500
const SAY_EVERY_MS = 5_000

export function createStopDisplay(options: StopDisplayOptions): StopDisplay {
  const { terminal } = options
  let timer: NodeJS.Timeout | undefined
  // After Ctrl+Z and `fg` the lines of the shell stand below ours.
  const onContinue = () => terminal?.forget()

  function begin(): void {
    process.on('SIGCONT', onContinue)
    timer = setInterval(() => show(options), terminal ? REWRITE_EVERY_MS : SAY_EVERY_MS).unref()
    // The children come first: they hear of the stop right after its fact. What is over in a moment shows nothing.
    setImmediate(() => {
      if (timer && isBusy(options.view())) show(options)
    })
  }

  function end(): void {
    process.off('SIGCONT', onContinue)
    clearInterval(timer)
    timer = undefined
    terminal?.show([])
  }

  return {
    note({ type }) {
      if (type === 'stopping') begin()
      else if (type === 'stopped') end()
      else if (timer && terminal && CHANGES.has(type)) show(options)
    },
  }
}

/** What people wait to see. */
const CHANGES = new Set<LaunchFact['type']>(['child_stopped', 'component_stopped', 'stop_escalated'])

function show({ view, terminal, say }: StopDisplayOptions): void {
  const now = view()
  if (!now) return
  if (terminal) terminal.show(stopLines(now, { columns: terminal.columns(), rows: terminal.rows() }))
  else for (const child of now.children) if (child.jobs.length > 0) say({ type: 'stop_waiting', ...child })
}

function isBusy(view: StopView | null): boolean {
  return view?.children.some((child) => child.jobs.length > 0) ?? false
}
