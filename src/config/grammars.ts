/** The two settings with a grammar of their own: WORKERS and API_TOKENS. Pure; what they throw is shown to the user. */
import { AppError } from '../lib/errors.ts'
import { DEFAULT_WORKERS, QUEUE_ALIASES, QUEUE_NAMES, QUEUES, type QueueName } from '../settings.ts'

export type WorkerGroup = { name: string; queues: QueueName[]; processes: number }
export type UserToken = { name: string; token: string }

const MAX_PROCESSES = 64
const DEFAULT_NAMES = ['io', 'media']
const USER_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

/** `llm,image:1 video:2` as groups. Throws `settings` unless every queue is served by exactly one group. */
export function parseWorkers(text: string): WorkerGroup[] {
  const groups = text.trim().split(/\s+/).map(parseGroup)
  const served = groups.flatMap((group) => group.queues)
  const twice = served.find((queue, index) => served.indexOf(queue) !== index)
  if (twice) throw new AppError('settings', `the queue ${twice} is named twice`)
  const missing = QUEUE_NAMES.filter((queue) => !served.includes(queue))
  if (missing.length > 0) throw new AppError('settings', `no group serves ${missing.join(', ')}`)
  return groups
}

function parseGroup(text: string): WorkerGroup {
  const [names = '', count = '1', ...rest] = text.split(':')
  const processes = Number(count)
  if (rest.length > 0 || !/^\d+$/.test(count) || processes < 1 || processes > MAX_PROCESSES)
    throw new AppError('settings', `"${text}" needs a number of processes from 1 to ${MAX_PROCESSES}`)
  const queues = names.split(',').map(parseQueue)
  return { name: groupName(queues), queues, processes }
}

function parseQueue(name: string): QueueName {
  const queue = QUEUE_ALIASES[name] ?? name
  if (!Object.hasOwn(QUEUES, queue)) throw new AppError('settings', `there is no queue "${name}"`)
  return queue as QueueName
}

/** The two default groups keep their names however many processes they have. */
function groupName(queues: QueueName[]): string {
  const index = DEFAULT_WORKERS.split(' ').findIndex((group) => sameSet(group.split(':')[0]!.split(','), queues))
  return DEFAULT_NAMES[index] ?? queues[0]!
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value) => b.includes(value))
}

/** `ann:t1,bob:t2` as users. Throws `settings`, never repeating a token. */
export function parseTokens(text: string): UserToken[] {
  const users = text.split(',').map((pair) => parseUser(pair.trim()))
  if (new Set(users.map((user) => user.name)).size < users.length)
    throw new AppError('settings', 'a user is named twice')
  if (new Set(users.map((user) => user.token)).size < users.length)
    throw new AppError('settings', 'two users share a token')
  return users
}

function parseUser(pair: string): UserToken {
  const colon = pair.indexOf(':')
  const name = pair.slice(0, Math.max(0, colon))
  const token = pair.slice(colon + 1)
  if (colon < 1 || !USER_NAME.test(name))
    throw new AppError('settings', 'a pair has no valid user name before its colon')
  if (name === 'operator') throw new AppError('settings', 'the name operator belongs to API_TOKEN')
  if (!/^[\x21-\x7e]+$/.test(token)) throw new AppError('settings', `the token of ${name} is empty or has spaces`)
  return { name, token }
}
