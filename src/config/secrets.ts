/** The values of the settings that nobody may read in a log. */
import type { Config } from '../config.ts'

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
