/** Finds the running server: `--url`, or what `npm start` wrote into the data folder. */
import { type Client, createClient } from '../client/client.ts'
import type { Config } from '../config.ts'
import { AppError } from '../lib/errors.ts'
import { readJson } from '../lib/files.ts'
import { dataLayout } from '../project/layout.ts'

/** What a server says about itself in `run.json`. The address of its Redis has no password in it. */
export type RunFile = { pid: number; url: string; run_id: string; started_at: string; redis?: { url: string } }

export type Connection = { url: string; client: Client }

/** Throws `unavailable` when no server has announced itself; whether it answers is seen by the first request. */
export async function connect(config: Config, url: string | undefined): Promise<Connection> {
  const found = url ?? (await readRunFile(config))?.url
  if (found === undefined) throw notRunning(config)
  if (!URL.canParse(found)) throw new AppError('settings', `--url ${found} is not an address`)
  const base = found.replace(/\/+$/, '')
  return { url: base, client: createClient({ url: base, token: config.auth.operatorToken ?? undefined }) }
}

export function readRunFile(config: Config): Promise<RunFile | undefined> {
  return readJson<RunFile>(dataLayout(config.dataDir).run)
}

function notRunning(config: Config): AppError {
  return new AppError('unavailable', `No server runs on ${config.dataDir}. Start it with: npm start`)
}
