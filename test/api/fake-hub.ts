/** A hub in memory, for what the transports do with it: cursors, catch-up and ends, without Redis. */
import type { LiveEvent, LiveMessage } from '../../src/stream/events.ts'
import type { Hub, JoinOptions, PollOptions } from '../../src/stream/hub.ts'

/** An event without what the hub adds. */
export type Said = LiveEvent extends infer E
  ? E extends LiveEvent
    ? Omit<E, 'seq' | 'project_id' | 'timestamp'>
    : never
  : never

export type FakeHub = Hub & {
  /** Shows `said` to all viewers of the project. */
  say(id: string, ...said: Said[]): void
  /** Who follows now. */
  viewers: Set<JoinOptions>
  joins: { id: string; stage?: string; since?: string; v: 1 | 2 }[]
  /** How often a full sink was waited for. */
  waits: number
  /** How many polls wait now. */
  polling: number
  epoch: string
}

type Inner = FakeHub & { logOf(id: string): LiveEvent[] }

export function createFakeHub(): FakeHub {
  const logs = new Map<string, LiveEvent[]>()
  const wakers = new Set<() => void>()
  const hub: Inner = {
    logOf: (id) => logs.get(id) ?? logs.set(id, []).get(id)!,
    epoch: 'e1',
    viewers: new Set(),
    joins: [],
    waits: 0,
    polling: 0,
    say(id, ...said) {
      for (const one of said) {
        const log = hub.logOf(id)
        const event = { ...one, seq: log.length + 1, project_id: id, timestamp: 1 } as LiveEvent
        log.push(event)
        for (const viewer of [...hub.viewers]) show(hub, viewer, event)
      }
      for (const wake of wakers) wake()
    },
    async join(id, options) {
      const { sink, ...asked } = options
      hub.joins.push({ id, stage: asked.stage, since: asked.since, v: asked.v })
      const log = hub.logOf(id)
      const from = seqOf(hub, options.since)
      sink.write(JSON.stringify(connected(hub, id, from !== undefined)), `${hub.epoch}-${from ?? 0}`)
      hub.viewers.add(options)
      for (const event of log.slice(from ?? 0)) show(hub, options, event)
      return { leave: () => void hub.viewers.delete(options), cursor: `${hub.epoch}-${log.length}` }
    },
    async poll(id, options) {
      if (options.waitMs > 0 && rest(hub, id, options).length === 0) await waitFor(hub, wakers, options)
      const log = hub.logOf(id)
      const events: LiveMessage[] = rest(hub, id, options)
      return { events, next: `${hub.epoch}-${log.length}`, up_to_date: true, closed: hasEnded(log) }
    },
    isAtEnd: async (id, since) => hasEnded(hub.logOf(id)) && seqOf(hub, since) === hub.logOf(id).length,
    stats: () => ({ viewers: hub.viewers.size, projects: logs.size, conflations: 0, resumes: {} }),
    async close() {
      for (const viewer of hub.viewers) viewer.sink.end()
    },
  }
  return hub
}

function show(hub: FakeHub, viewer: JoinOptions, event: LiveEvent): void {
  if (viewer.stage !== undefined && 'stage' in event && event.stage !== viewer.stage) return
  const write = () => {
    if (!viewer.sink.writable()) {
      hub.waits++
      return viewer.sink.whenWritable(write)
    }
    viewer.sink.write(Buffer.from(JSON.stringify(event)), `${hub.epoch}-${event.seq}`)
    if (viewer.endWithProject && hasEnded([event])) viewer.sink.end()
  }
  write()
}

function rest(hub: Inner, id: string, { since, stage }: PollOptions): LiveMessage[] {
  const from = seqOf(hub, since)
  const log = hub.logOf(id)
  const events = log.slice(from ?? 0).filter((e) => stage === undefined || !('stage' in e) || e.stage === stage)
  return from === undefined ? [connected(hub, id, false), ...events] : events
}

async function waitFor(hub: Inner, wakers: Set<() => void>, { waitMs, signal }: PollOptions): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, waitMs)
  signal.addEventListener('abort', () => resolve(), { once: true })
  wakers.add(resolve)
  hub.polling++
  await promise
  hub.polling--
  wakers.delete(resolve)
  clearTimeout(timer)
}

function connected(hub: Inner, id: string, recovered: boolean): LiveMessage {
  const seq = hub.logOf(id).length
  const channel = `ai_story:project:${id}:stage:shout`
  return { type: 'connected', channel, project_id: id, seq, epoch: hub.epoch, recovered, stages: { shout: 'running' } }
}

function seqOf(hub: FakeHub, since: string | undefined): number | undefined {
  const [epoch, seq] = since?.split('-') ?? []
  return epoch === hub.epoch ? Number(seq) : undefined
}

function hasEnded(log: LiveEvent[]): boolean {
  const last = log.findLast((event) => event.type === 'project_update')
  return last !== undefined && ['completed', 'failed', 'cancelled'].includes(last.status)
}
