/** A project's stream in Redis: typed calls of the script, and what readers ask for. */
import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { RedisKeys } from '../redis/keys.ts'
import type { LiveStatus } from './events.ts'
import { type Operation, SCRIPT } from './script.ts'

/** `fenced`: a newer claim stands. `lost`: Redis has forgotten something, so the whole text has to be sent again. */
export type StreamAnswer = { result: 'ok' | 'fenced' | 'lost'; epoch: string; seq: number }

export type StageRef = { projectId: string; stage: string }

/** The last answer: Redis must not know less than it. */
export type Acked = { epoch: string; seq: number }

/** `claimRevision`: the journal's revision of the claim, so that a newer claim has a larger one. */
export type Claimed = StageRef & { fence: string; claimRevision: number }
export type Fenced = Claimed & { acked: Acked }

export type StageEvent = {
  kind: 'progress' | 'update' | 'done' | 'error'
  fields: Record<string, unknown>
  /** Counts the events of an attempt: one that was sent twice is kept once. */
  nonce: number
  percent: number
  message: string | null
}

/** `fields` null: nothing to tell, but the revision is remembered. */
export type StageStatusNote = {
  revision: number
  status: LiveStatus | 'pending'
  fields: Record<string, unknown> | null
  percent: number
  message: string | null
}

export type ProjectNote = {
  revision: number
  ended: boolean
  stages: string[]
  fields: Record<string, unknown>
  percent: number
  /** What the progress channel names. */
  stage: string | null
  message: string | null
}

export type RedisStream = {
  begin(claimed: Claimed): Promise<StreamAnswer>
  token(fenced: Fenced, offset: number, delta: string): Promise<StreamAnswer>
  event(fenced: Fenced, event: StageEvent): Promise<StreamAnswer>
  resend(claimed: Claimed, epoch: string, text: string): Promise<StreamAnswer>
  status(stage: StageRef, note: StageStatusNote): Promise<StreamAnswer>
  project(projectId: string, note: ProjectNote): Promise<StreamAnswer>
  /** A completed stage whose `done` never came: its text (undefined: what Redis has) and its end, from the journal. */
  finish(stage: StageRef, end: { revision: number; text: string | undefined; metadata: object }): Promise<StreamAnswer>
  /** Begins a new epoch when Redis has fallen behind what readers have seen of this one. */
  renew(projectId: string, seen: Acked): Promise<StreamAnswer>
}

type Arg = string | number
type Command = (keyCount: number, ...args: Arg[]) => Promise<[StreamAnswer['result'], string, number]>

const COMMAND = 'showrunnerStream'

/** `redis` is of kind `fast`; every call may reject while Redis is away, and may then have been done all the same. */
export function createRedisStream(redis: Redis, keys: RedisKeys, now: () => number = Date.now): RedisStream {
  if (!(COMMAND in redis)) redis.defineCommand(COMMAND, { lua: SCRIPT })
  const command = (redis as unknown as Record<typeof COMMAND, Command>)[COMMAND].bind(redis)

  async function run(op: Operation, at: StageRef & { textKeys?: string[] }, args: Arg[]): Promise<StreamAnswer> {
    const { projectId, stage } = at
    const own = [keys.key('live', projectId), keys.key('events', projectId)]
    const all = [...own, ...(at.textKeys ?? [keys.key('text', projectId, stage)])]
    const ms = now()
    const channels = [keys.stageChannel(projectId, stage), keys.progressChannel(projectId)]
    const about = [op, projectId, stage, ms / 1000, new Date(ms).toISOString(), newEpoch(), ...channels]
    const [result, epoch, seq] = await command(all.length, ...all, ...about, ...args)
    return { result, epoch, seq }
  }

  return {
    begin: (c) => run('begin', c, [c.claimRevision, c.fence]),
    token: (f, offset, delta) => run('token', f, [...fencing(f), offset, delta.length, delta]),
    event(f, { nonce, kind, fields, percent, message }) {
      return run('event', f, [...fencing(f), nonce, kind, json(fields), percent, json(message)])
    },
    resend: (c, epoch, text) => run('resend', c, [c.claimRevision, c.fence, epoch, text.length, text]),
    status(stage, { revision, status, fields, percent, message }) {
      return run('status', stage, [revision, status, fields === null ? '' : json(fields), percent, json(message)])
    },
    project(projectId, { revision, ended, stages, fields, percent, stage, message }) {
      const textKeys = stages.map((name) => keys.key('text', projectId, name))
      const about = [revision, ended ? 1 : 0, stages.length, json(fields), percent, json(stage), json(message)]
      return run('project', { projectId, stage: '', textKeys }, about)
    },
    finish(stage, { revision, text, metadata }) {
      const whole = text === undefined ? [0, 0, ''] : [1, text.length, text]
      return run('finish', stage, [revision, ...whole, json({ metadata })])
    },
    renew: (projectId, { epoch, seq }) => run('renew', { projectId, stage: '' }, [epoch, seq]),
  }
}

function fencing({ claimRevision, fence, acked }: Fenced): Arg[] {
  return [claimRevision, fence, acked.epoch, acked.seq]
}

function json(value: unknown): string {
  return JSON.stringify(value)
}

function newEpoch(): string {
  return `r${randomBytes(6).toString('hex')}`
}
