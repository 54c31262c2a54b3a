/** What readers ask Redis for: a project's stream at one moment, its latest marks, and entries again. */
import type { Redis } from 'ioredis'
import type { RedisKeys } from '../redis/keys.ts'
import { type EntryKind, type LiveStatus, PROJECT, type StreamEntry } from './events.ts'

export type Snapshot = { epoch: string; seq: number; meta: Record<string, string>; texts: Record<string, string> }

/** Undefined: nothing was ever announced, or Redis has forgotten it. */
export type Marks = {
  epoch: string
  seq: number
  /** The journal's revisions that were announced. */
  revisions: Record<string, number>
  /** Stages whose `done` is in the stream. */
  done: Set<string>
}

export type StageNames = { id: string; stages: string[] }

type Reply = [Error | null, unknown][] | null

/** Head and texts belong together. */
export async function readSnapshot(
  redis: Redis,
  keys: RedisKeys,
  { id, stages }: StageNames,
): Promise<Snapshot | undefined> {
  const texts = stages.map((stage) => keys.key('text', id, stage))
  const reply = await redis.multi().hgetall(keys.key('live', id)).mget(texts).exec()
  const [meta, found] = valuesOf(reply) as [Record<string, string>, (string | null)[]]
  if (!meta.epoch) return undefined
  const named = stages.map((stage, i) => [stage, found[i] ?? ''] as const)
  return { epoch: meta.epoch, seq: Number(meta.seq), meta, texts: Object.fromEntries(named) }
}

/** Of many projects in one round trip. */
export async function readMarks(redis: Redis, keys: RedisKeys, projects: StageNames[]): Promise<(Marks | undefined)[]> {
  const pipeline = redis.pipeline()
  for (const { id, stages } of projects) {
    const names = [...stages, PROJECT].flatMap((stage) => [`rev:${stage}`, `done:${stage}`])
    pipeline.hmget(keys.key('live', id), 'epoch', 'seq', ...names)
  }
  const rows = valuesOf(await pipeline.exec()) as (string | null)[][]
  return rows.map((row, i) => marksOf(row, [...projects[i]!.stages, PROJECT]))
}

function marksOf([epoch, seq, ...values]: (string | null)[], stages: string[]): Marks | undefined {
  if (!epoch) return undefined
  const revisions = Object.fromEntries(stages.map((stage, i) => [stage, Number(values[2 * i] ?? 0)]))
  return { epoch, seq: Number(seq), revisions, done: new Set(stages.filter((_, i) => values[2 * i + 1])) }
}

/** Both ends included. */
export async function readEntries(
  redis: Redis,
  keys: RedisKeys,
  { id, from, to }: { id: string; from: number; to: number },
): Promise<StreamEntry[]> {
  const rows = await redis.xrange(keys.key('events', id), `${from}-0`, `${to}-0`)
  return rows.map(parseEntry)
}

export type Row = [id: string, fields: string[]]

export function parseEntry([id, fields]: Row): StreamEntry {
  const map = new Map<string, string>()
  for (let i = 0; i < fields.length; i += 2) map.set(fields[i]!, fields[i + 1]!)
  const field = (name: string) => map.get(name) ?? ''
  const kind = field('k') as EntryKind
  const common = { epoch: field('e'), seq: Number.parseInt(id, 10), stage: field('s'), timestamp: Number(field('t')) }
  if (kind === 'token' || kind === 'snapshot') return { ...common, kind, offset: Number(field('o')), text: field('d') }
  return { ...common, kind, fields: JSON.parse(field('d')) }
}

/** A claimed stage runs, although nobody has said so yet. */
export function announcedStatus(meta: Record<string, string>, stage: string): LiveStatus | 'pending' | undefined {
  const status = meta[`status:${stage}`] as LiveStatus | 'pending' | undefined
  return status ?? (meta[`claim:${stage}`] === undefined ? undefined : 'processing')
}

function valuesOf(reply: Reply): unknown[] {
  return (reply ?? []).map(([error, value]) => {
    if (error) throw error
    return value
  })
}
