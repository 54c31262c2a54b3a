/** Watches the worker processes while something is done to them, and collects what happened to their work. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { WorkerProcess } from '../../src/api/schemas/workers.ts'
import { sleep } from '../../src/lib/until.ts'
import { type DataLayout, projectLayout } from '../../src/project/layout.ts'
import { decodeRecord } from '../../src/project/records.ts'
import type { Instance } from './installation.ts'

export type Watch = {
  /** All that was seen, oldest first. */
  looks: WorkerProcess[][]
  stop(): Promise<void>
}

const EVERY_MS = 50

/** Asks for the workers all the time; ends with `stop`. */
export function watchWorkers({ api }: Instance): Watch {
  const looks: WorkerProcess[][] = []
  const ended = new AbortController()
  const running = (async () => {
    while (!ended.signal.aborted) {
      looks.push((await api.workers.list()).items)
      await sleep(EVERY_MS)
    }
  })()
  return {
    looks,
    async stop() {
      ended.abort()
      await running
    },
  }
}

/** At every look some process of the group served. */
export function assertAlwaysServed({ looks }: Watch, group: string): void {
  assert.ok(looks.length > 10, 'it was looked at')
  const without = looks.filter((items) => !items.some((one) => one.group === group && one.ready))
  assert.deepEqual(without, [])
}

/** At no look were processes of two slots on their way in or out. */
export function assertOneAtATime({ looks }: Watch): void {
  for (const items of looks) {
    const moving = new Set(items.flatMap((one) => (one.role === 'current' ? [] : [one.slot])))
    assert.ok(moving.size <= 1, `at once: ${[...moving].join(', ')}`)
  }
}

/** Of one project: how often its stages were claimed, given back (by reason) and completed, and when. */
export type History = { claims: number; completed: number; released: string[]; steps: string[]; spans: Span[] }

/** While an attempt held its stage; milliseconds since 1970. */
export type Span = { from: number; to: number }

export function historyOf(layout: DataLayout, id: string): History {
  const history: History = { claims: 0, completed: 0, released: [], steps: [], spans: [] }
  let from = 0
  for (const line of readFileSync(projectLayout(layout, id).journal, 'utf8').split('\n')) {
    const record = decodeRecord(line)
    if (!record) continue
    const at = Date.parse(record.at)
    if (record.type === 'claim') {
      history.claims++
      from = at
    }
    if (record.type === 'step') history.steps.push(record.name)
    if (record.type === 'completed') history.completed++
    if (record.type === 'released') history.released.push(record.reason)
    if (record.type === 'completed' || record.type === 'released') history.spans.push({ from, to: at })
  }
  return history
}

/** How many of the spans lay over each other at most. */
export function mostAtOnce(spans: readonly Span[]): number {
  const turns = spans.flatMap(({ from, to }) => [
    { at: from, by: 1 },
    { at: to, by: -1 },
  ])
  turns.sort((a, b) => a.at - b.at || a.by - b.by) // what ends in the same millisecond ends first
  let [now, most] = [0, 0]
  for (const { by } of turns) {
    now += by
    most = Math.max(most, now)
  }
  return most
}
