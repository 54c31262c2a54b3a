/** The environment of a temporary instance: nothing in it can reach the user's own data, Redis or port. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inheritedEnv } from '../lib/exec.ts'

/** Our mark on every process of a temporary instance, which does not depend on what the program says of itself. */
export const MARK = 'CHAOS_RUN'
/** Names the file to which stages may write what they did to the world outside; see effects.ts. */
const EFFECTS = 'CHAOS_EFFECTS'

export type Surroundings = {
  /** The user's own pipelines run with the user's environment and settings; ours with none of them. */
  ofUser: boolean
  folder: string
  dataDir: string
  mark: string
  effects: string
  /** Wins over all. */
  env: Record<string, string>
}

/** An empty value means "not set", whatever a `.env` file says. */
const ISOLATED = {
  HOST: '127.0.0.1',
  PORT: '0',
  ALLOWED_HOSTS: '',
  API_TOKEN: '',
  API_TOKEN_FILE: '',
  API_TOKENS: '',
  API_TOKENS_FILE: '',
  REDIS: 'spawn',
  REDIS_URL: '',
  REDIS_URL_FILE: '',
  REDIS_HOST: '',
  REDIS_PORT: '',
  REDIS_DB: '',
  REDIS_PASSWORD: '',
  REDIS_PASSWORD_FILE: '',
  REDIS_DB_BROKER: '',
  CELERY_BROKER_URL: '',
  CELERY_RESULT_BACKEND: '',
  RESUME: 'auto',
  LOG_FORMAT: 'json',
  // At `info` the program does not say when a child is ready.
  LOG_LEVEL: 'debug',
} as const

/** What any program needs, and no setting of ours. */
const BASIC = ['PATH', 'HOME', 'USER', 'LANG', 'TMPDIR', 'NODE_COMPILE_CACHE'] as const

const PIPELINES = fileURLToPath(new URL('./pipelines', import.meta.url))

export function environmentOf({ ofUser, dataDir, mark, effects, env }: Surroundings): NodeJS.ProcessEnv {
  const all = inheritedEnv()
  const base = ofUser ? all : { ...only(all, BASIC), PIPELINES_DIR: PIPELINES }
  return { ...base, ...ISOLATED, DATA_DIR: dataDir, [MARK]: mark, [EFFECTS]: effects, ...env }
}

/** Where `.env` files are looked for: the user's own, or none. */
export function cwdOf({ ofUser, folder }: Surroundings): string {
  return ofUser ? process.cwd() : folder
}

export function filesIn(folder: string) {
  return { dataDir: join(folder, 'data'), effects: join(folder, 'effects.ndjson'), log: join(folder, 'program.log') }
}

function only(env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}
