/** The values of the settings that nobody may read in a log. */
import type { Config, ConfigSources } from '../config.ts'

export function secretsOf({ auth, redis, openai }: Config): (string | null)[] {
  const addresses = [redis.url, openai.baseUrl].filter((url) => url !== null)
  return [
    auth.operatorToken,
    ...auth.users.map(({ token }) => token),
    redis.password,
    openai.apiKey,
    ...addresses.flatMap(secretsInAddress),
  ]
}

const SECRET_NAME = /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS)$/i
/** Shorter values, and lines of longer ones, are words and brackets. */
const MIN_LENGTH = 8

/** Of variables that are no settings of ours: children inherit them, and may print them. */
export function inheritedSecrets(env: ConfigSources['env']): string[] {
  const values = Object.entries(env).flatMap(([name, value = '']) => (SECRET_NAME.test(name) ? value.split('\n') : []))
  return values.map((line) => line.trim()).filter((line) => line.length >= MIN_LENGTH && !isPath(line))
}

/** Where a secret is may be read; base64 can begin with a slash too, but looks different. */
function isPath(value: string): boolean {
  const isRandom = /^[\w+/]+={0,2}$/.test(value) && [/\d/, /[a-z]/, /[A-Z]/].every((kind) => kind.test(value))
  return /^(?:~|\.{1,2}|[A-Z]:)?[\\/]/i.test(value) && !isRandom
}

/** The password, as it is and as it stands in the address, and what the options behind the question mark hold. */
export function secretsInAddress(url: string): string[] {
  const { password, searchParams } = new URL(url)
  const options = [...searchParams].filter(([name]) => /pass|token|key|secret/i.test(name)).map(([, value]) => value)
  return [password, decoded(password), ...options].filter((value) => value !== '')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a lone percent sign: it stands for itself
  }
}
