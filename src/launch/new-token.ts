/** `--new-token`: makes the operator's token and keeps it where only this user can read it. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { ensureFolder, writeAtomic } from '../lib/files.ts'
import { TOKEN_FILE } from '../settings.ts'

/** The settings with the new token in them. */
export async function createToken(config: Config): Promise<Config> {
  const operatorToken = randomBytes(32).toString('base64url')
  await ensureFolder(config.dataDir)
  await writeAtomic(join(config.dataDir, TOKEN_FILE), `${operatorToken}\n`, 0o600)
  return { ...config, auth: { ...config.auth, operatorToken } }
}
