/** `redis-url`: where programs that subscribe to Redis themselves find it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { AppError, errnoOf } from '../lib/errors.ts'
import { dataLayout } from '../project/layout.ts'
import { readRunFile } from './connection.ts'
import type { Verb } from './verb.ts'

export const redisUrl: Verb = {
  usage: 'redis-url',
  summary: 'print the address of the Redis in use',
  options: [['--with-password', 'with its password, for programs: redis-cli -u "$(… redis-url --with-password)"']],
  async run({ config, out }, _args, options) {
    const settings = config()
    const shown = (await readRunFile(settings))?.redis?.url
    if (shown === undefined)
      throw new AppError('unavailable', `No server runs on ${settings.dataDir}. Start it with: npm start`)
    const url = options.withPassword === true ? await withPassword(settings, shown) : shown
    out.data({ url }, url)
    return 0
  },
}

async function withPassword({ dataDir, redis }: Config, shown: string): Promise<string> {
  const url = new URL(shown)
  const own = await ownPassword(dataDir, url.port)
  if (own === undefined && redis.url !== null) return redis.url
  const password = own ?? redis.password
  if (password === null) return shown
  url.username = 'default' // redis-cli takes an empty name for a user's
  url.password = encodeURIComponent(password)
  return url.href
}

/** A Redis of our own has its password in its configuration, which only we can read. */
async function ownPassword(dataDir: string, port: string): Promise<string | undefined> {
  try {
    const conf = await readFile(join(dataLayout(dataDir).redis, 'redis.conf'), 'utf8')
    if (!conf.includes(`\nport ${port}\n`)) return undefined // of an earlier start
    return conf.match(/^requirepass (\S+)$/m)?.[1]
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
