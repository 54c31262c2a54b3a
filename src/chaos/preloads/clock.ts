/** Moves the wall clock of a process by as many milliseconds as its orders say, from the moment at which they do. */
import { ordersPath, readOrders } from './orders.ts'

export type ClockOrders = { offsetMs: number }

const LOOK_EVERY_MS = 20

const path = ordersPath(import.meta.url)
if (path !== null) moveClock(path)

function moveClock(from: string): void {
  const RealDate = Date
  const read = () => readOrders<ClockOrders>(from)?.offsetMs ?? 0
  let offsetMs = read()
  const now = () => RealDate.now() + offsetMs
  setInterval(() => {
    offsetMs = read()
  }, LOOK_EVERY_MS).unref()
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length > 0 ? args : [now()], newTarget),
    apply: () => new RealDate(now()).toString(),
    get: (target, key, receiver) => (key === 'now' ? now : Reflect.get(target, key, receiver)),
  })
}
