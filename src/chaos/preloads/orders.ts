/** What a preloaded file is told to do: read from a file whose path stands in its own address (see preload.ts). */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** Null for a process that was not started by us, which then behaves as ever. */
export function ordersPath(url: string): string | null {
  return new URL(url).searchParams.get('orders')
}

/** Undefined while there are none. */
export function readOrders<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch {
    return undefined // not yet, or no more
  }
}

export function isWorker(): boolean {
  return basename(process.argv[1] ?? '') === 'worker.ts'
}
