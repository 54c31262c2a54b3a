/** Waiting with a deadline and a signal; nothing here outlives its caller. */
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from './errors.ts'

export type UntilOptions = { timeoutMs: number; everyMs?: number; signal?: AbortSignal; what?: string }

/** Polls `probe` until it returns something other than undefined, null or false; throws `timeout` at the deadline. */
export async function until<T>(
  probe: () => T | Promise<T>,
  options: UntilOptions,
): Promise<Exclude<Awaited<T>, undefined | null | false>> {
  const deadline = performance.now() + options.timeoutMs
  for (;;) {
    options.signal?.throwIfAborted()
    const value = await probe()
    if (value !== undefined && value !== null && value !== false)
      return value as Exclude<Awaited<T>, undefined | null | false>
    if (performance.now() >= deadline)
      throw new AppError('timeout', `Waited ${options.timeoutMs} ms for ${options.what ?? 'a condition'}`)
    await sleep(options.everyMs ?? 25, options.signal)
  }
}

/** A timer that a signal can end early (it then throws the signal's reason). */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal ? { signal } : {})
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

/** Resolves with the promise's value, or with `onTimeout` after `ms`; never rejects late. */
export async function within<T, F>(promise: Promise<T>, ms: number, onTimeout: F): Promise<T | F> {
  const timer = new AbortController()
  const late = delay(ms, onTimeout, { signal: timer.signal }).catch(() => onTimeout)
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.abort()
  }
}

/** Rejects with the signal's reason when it fires; nobody has to listen. */
export function rejectionBy(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => {})
  if (signal.aborted) reject(signal.reason)
  else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  return promise
}

/** What already lay in a pipe or a socket has been read afterwards: a poll phase lies in between. */
export async function twoTurns(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
}
