/** Exhausts the heap of the process whose pid is in its orders: the abort of V8, without a chance to say good-bye. */
import { ordersPath, readOrders } from './orders.ts'

export type HeapOrders = { pid: number }

const LOOK_EVERY_MS = 20
/** Large pieces: small ones would keep the collector busy for long. */
const PIECE = 500_000

const path = ordersPath(import.meta.url)
if (path !== null) setInterval(() => look(path), LOOK_EVERY_MS).unref()

function look(from: string): void {
  if (readOrders<HeapOrders>(from)?.pid !== process.pid) return
  const hoard: unknown[] = []
  for (;;) hoard.push(new Array(PIECE).fill(hoard))
}
