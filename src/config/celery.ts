/** Names that people bring from Celery and its friends: mapped, or accepted without effect, always said in one line. */
import { QUEUE_NAMES, QUEUES } from '../settings.ts'
import type { Found, Lookup } from './sources.ts'
import { concurrencyName, type SettingName } from './table.ts'

type Mapping = { from: string; to: readonly SettingName[]; convert?: (value: string) => string }

/** A Celery pool serves every queue; ours that do one thing at a time by design stay so. */
const PARALLEL = QUEUE_NAMES.filter((queue) => QUEUES[queue].concurrency > 1).map(concurrencyName)

/** Earlier rows win over later ones with the same target. */
export const MAPPINGS: readonly Mapping[] = [
  { from: 'CELERY_BROKER_URL', to: ['REDIS_URL'] },
  { from: 'BROKER_URL', to: ['REDIS_URL'] },
  { from: 'REDIS_DB_BROKER', to: ['REDIS_DB'] },
  { from: 'API_PORT', to: ['PORT'] },
  { from: 'CELERY_WORKER_CONCURRENCY', to: PARALLEL },
  { from: 'CELERYD_CONCURRENCY', to: PARALLEL },
  { from: 'WORKER_CONCURRENCY', to: PARALLEL },
  { from: 'CELERY_WORKER_MAX_TASKS_PER_CHILD', to: ['WORKER_MAX_JOBS'] },
  { from: 'CELERY_MAX_TASKS_PER_CHILD', to: ['WORKER_MAX_JOBS'] },
  { from: 'MAX_TASKS_PER_CHILD', to: ['WORKER_MAX_JOBS'] },
  { from: 'CELERY_WORKER_MAX_MEMORY_PER_CHILD', to: ['WORKER_MAX_RSS_MB'], convert: kibToMib },
  { from: 'CELERY_TASK_TIME_LIMIT', to: ['TIME_LIMIT_S'] },
  { from: 'CELERY_TASK_SOFT_TIME_LIMIT', to: ['SOFT_TIME_LIMIT_S'] },
  { from: 'CELERY_LOG_LEVEL', to: ['LOG_LEVEL'] },
]

const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  CELERY_WORKER_PREFETCH_MULTIPLIER: 'a worker only takes what it runs',
  CELERY_TASK_ACKS_LATE: 'work is always taken up again after a crash',
  CELERY_QUEUES: 'WORKERS says which process serves which queue',
  FLOWER_PORT: 'the dashboard is part of the server, at PORT',
  FLOWER_BASIC_AUTH: 'API_TOKEN protects the dashboard',
  FLOWER_URL_PREFIX: 'the dashboard is served at /',
}

/** The value that an older name gives to `name`, under the older name, so that problems point at the right line. */
export function findMapped(lookup: Lookup, name: SettingName): Found | undefined {
  for (const mapping of MAPPINGS) {
    const found = mapping.to.includes(name) ? lookup.find(mapping.from) : undefined
    if (found) return { ...found, value: mapping.convert?.(found.value) ?? found.value }
  }
  return undefined
}

/** One line for each older name that is set. `isOwn` tells whether the setting's own name is set. */
export function celeryNotes(lookup: Lookup, isOwn: (name: SettingName) => boolean): string[] {
  return [...mappedNotes(lookup, isOwn), ...backendNotes(lookup), ...ineffectiveNotes(lookup)]
}

function mappedNotes(lookup: Lookup, isOwn: (name: SettingName) => boolean): string[] {
  return MAPPINGS.flatMap(({ from, to }) => {
    const found = lookup.find(from)
    if (!found) return []
    const used = to.filter((name) => !isOwn(name) && findMapped(lookup, name)?.name === from)
    if (used.length > 0) return [`${from} (${found.from}) is used as ${used.join(', ')}`]
    return [`${from} (${found.from}) is ignored, because ${to.join(', ')} is set otherwise`]
  })
}

/** Results live in the project folders, so the address matters only to those who expect to find them there. */
function backendNotes(lookup: Lookup): string[] {
  const backend = lookup.find('CELERY_RESULT_BACKEND')
  if (!backend) return []
  const broker = lookup.find('REDIS_URL') ?? findMapped(lookup, 'REDIS_URL')
  const why = `results are kept in the project folders`
  if (!broker)
    return [`CELERY_RESULT_BACKEND (${backend.from}) has no effect: ${why}; set REDIS_URL to choose the server`]
  const differs = differenceOf(backend.value, broker.value)
  if (!differs) return [`CELERY_RESULT_BACKEND (${backend.from}) has no effect: ${why}`]
  return [
    `Warning: CELERY_RESULT_BACKEND (${backend.from}) names another ${differs} than ${broker.name}, which is the one used; ${why}`,
  ]
}

function differenceOf(a: string, b: string): 'server' | 'database' | undefined {
  if (!URL.canParse(a) || !URL.canParse(b)) return 'server'
  const [left, right] = [new URL(a), new URL(b)]
  if (left.hostname !== right.hostname || (left.port || '6379') !== (right.port || '6379')) return 'server'
  return databaseOf(left) === databaseOf(right) ? undefined : 'database'
}

function databaseOf(url: URL): string {
  return url.pathname.replace('/', '') || '0'
}

function ineffectiveNotes(lookup: Lookup): string[] {
  return Object.entries(WITHOUT_EFFECT).flatMap(([name, why]) => {
    const found = lookup.find(name)
    return found ? [`${name} (${found.from}) has no effect: ${why}`] : []
  })
}

/** Celery counts memory in KiB. What is no number stays as it is, for the check to refuse. */
function kibToMib(value: string): string {
  return /^\d+$/.test(value) ? String(Math.ceil(Number(value) / 1024)) : value
}
