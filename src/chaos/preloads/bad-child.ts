/** Makes a worker behave badly in one way, if there are orders for it when it starts. */
import { isWorker, ordersPath, readOrders } from './orders.ts'

export type ChildOrders = { manner: Manner }
export type Manner = 'deaf' | 'never-ready' | 'exits' | 'exits-78' | 'crashes'

/** The supervisor's messages, by which a child is told to end before it gets a signal. */
const ENDINGS: ReadonlySet<unknown> = new Set(['drain', 'hurry'])
/**
 * After its readiness, 2 s on an idle machine. In short ticks, each of which a busy one delays as it delays the work: a
 * stage that cannot do a single step between two crashes would rightly be taken for their cause.
 */
const [CRASH_AFTER_TICKS, TICK_MS] = [100, 20]

const MANNERS: Record<Manner, () => void> = {
  deaf,
  'never-ready': () => onReady(() => false),
  exits: () => process.exit(4),
  'exits-78': () => process.exit(78),
  crashes: () =>
    onReady(() => {
      tickDown(CRASH_AFTER_TICKS)
      return true
    }),
}

const path = ordersPath(import.meta.url)
const orders = path !== null && isWorker() ? readOrders<ChildOrders>(path) : undefined
if (orders) MANNERS[orders.manner]()

function tickDown(left: number): void {
  if (left === 0) process.exit(5)
  setTimeout(() => tickDown(left - 1), TICK_MS)
}

/** Hears neither messages nor signals that would end it. */
function deaf(): void {
  process.on('SIGTERM', () => {})
  const emit = process.emit.bind(process) as (...args: unknown[]) => boolean
  const typeOf = (message: unknown) => (message as { type?: unknown } | undefined)?.type
  process.emit = ((...args: unknown[]) =>
    args[0] === 'message' && ENDINGS.has(typeOf(args[1])) ? true : emit(...args)) as typeof process.emit
}

/** Asked when it is about to say that it is ready: whether it may. */
function onReady(may: () => boolean): void {
  const send = process.send?.bind(process) as ((message: { type?: string }, ...rest: unknown[]) => boolean) | undefined
  if (!send) return
  process.send = ((message: { type?: string }, ...rest: unknown[]) =>
    message.type === 'ready' && !may() ? true : send(message, ...rest)) as typeof process.send
}
