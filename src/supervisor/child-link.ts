/** The child's half of the protocol: what a node child says to its supervisor and hears from it. */
import type { ToChild } from './messages.ts'

export type ChildLink = {
  /** The payload is what the parent's spec gave; parent and child are the same release, so it is not checked. */
  onGo<T>(callback: (payload: T) => void): void
  onDrain<T>(callback: (payload: T) => void): void
  onHurry(callback: () => void): void
  /** From now on the parent expects beats, and kills a child that is silent for too long. */
  ready(facts?: unknown): void
  /** Sends `get()` now, each `everyMs` and at an exit that Node runs; it keeps no process alive. */
  beat(get: () => unknown, everyMs?: number): void
  /** False when the parent is gone. */
  send(message: object): boolean
  /** Beats once more, hands over what was sent (at most 500 ms) and sets the exit code; the caller then exits. */
  goodbye(exitCode: number): Promise<void>
}

const GOODBYE_MS = 500

export function createChildLink(): ChildLink {
  const heard: { [T in ToChild['type']]?: (payload: never) => void } = {}
  const early = new Map<ToChild['type'], unknown>()
  let beating: NodeJS.Timeout | undefined
  let lastBeat: (() => unknown) | undefined
  let beatInFlight = false

  process.on('message', (message: ToChild) => {
    const payload = 'payload' in message ? message.payload : undefined
    const callback = heard[message.type]
    if (callback) callback(payload as never)
    else early.set(message.type, payload)
  })

  /** A drain may come before the child has begun to listen for one. */
  function listen<T>(type: ToChild['type'], callback: (payload: T) => void): void {
    heard[type] = callback
    if (!early.has(type)) return
    const payload = early.get(type) as T
    early.delete(type)
    callback(payload)
  }

  function beatOnce(get: () => unknown): void {
    if (beatInFlight) return // one outstanding at most: a supervisor that does not read must not fill our memory
    beatInFlight = transmit({ type: 'beat', beat: get() }, () => {
      beatInFlight = false
    })
  }

  /** What was counted since the one before. */
  function beatLast(): void {
    if (lastBeat) transmit({ type: 'beat', beat: lastBeat() })
  }

  return {
    onGo: (callback) => listen('go', callback),
    onDrain: (callback) => listen('drain', callback),
    onHurry: (callback) => listen('hurry', callback),
    ready: (facts = null) => void transmit({ type: 'ready', facts }),
    beat(get, everyMs = 1_000) {
      clearInterval(beating)
      if (lastBeat === undefined) process.on('exit', beatLast)
      lastBeat = get
      beatOnce(get)
      beating = setInterval(() => beatOnce(get), everyMs).unref()
    },
    send: (message) => transmit(message),
    async goodbye(exitCode) {
      process.exitCode = exitCode
      clearInterval(beating)
      beatLast()
      lastBeat = undefined // once is enough
      await flush()
    },
  }
}

/** After a disconnect `process.send` does not throw but raises 'error' on the process, unless it has a callback. */
function transmit(message: object, sent: () => void = () => {}): boolean {
  if (!process.connected) return false
  process.send!(message, sent)
  return true
}

/** Messages keep their order, so the callback of the last one says that all have left. */
function flush(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GOODBYE_MS)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    if (!transmit({ type: 'goodbye' }, done)) done()
  })
}
