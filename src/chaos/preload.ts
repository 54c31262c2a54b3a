/** Files that every node process of an instance loads first, so that it can be told to misbehave. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChildOrders } from './preloads/bad-child.ts'
import type { SyncOrders } from './preloads/bad-sync.ts'
import type { ClockOrders } from './preloads/clock.ts'
import type { HeapOrders } from './preloads/fill-heap.ts'

type OrdersOf = { 'bad-child': ChildOrders; 'bad-sync': SyncOrders; clock: ClockOrders; 'fill-heap': HeapOrders }

type Preload = keyof OrdersOf

/** For a fault's settings; `flags` are further ones for node. */
export function preloading(name: Preload, flags = ''): (folder: string) => Record<string, string> {
  return (folder) => {
    const url = new URL(`./preloads/${name}.ts`, import.meta.url)
    url.searchParams.set('orders', ordersIn(folder, name))
    return { NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import=${url.href} ${flags}`.trim() }
  }
}

export function giveOrders<N extends Preload>(folder: string, name: N, orders: OrdersOf[N]): void {
  writeFileSync(ordersIn(folder, name), JSON.stringify(orders))
}

export function withdrawOrders(folder: string, name: Preload): void {
  rmSync(ordersIn(folder, name), { force: true })
}

function ordersIn(folder: string, name: Preload): string {
  return join(folder, `${name}.json`)
}
