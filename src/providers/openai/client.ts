/** The SDK's client with everything turned off that decides or tells on its own. */
import type OpenAI from 'openai'
import type { CallLimits, OpenAiSettings } from './call.ts'
import type { Dialect } from './dialect.ts'

type ClientParts = { baseUrl: string; dialect: Dialect; limits: CallLimits }

/** Loads the SDK on first use. */
export async function createClient(settings: OpenAiSettings, parts: ClientParts): Promise<OpenAI> {
  const { baseUrl, dialect, limits } = parts
  const { default: Client } = await import('openai')
  return new Client({
    // Local servers need no key, but the client refuses to work without one.
    apiKey: settings.apiKey ?? 'none',
    baseURL: baseUrl,
    // Left out, it reads these from the environment and sends them to whatever server this is.
    ...(dialect === 'openai' ? {} : { organization: null, project: null }),
    // One place decides about retries, and it knows quotas from rates.
    maxRetries: 0,
    // Left alone it prints to standard error, parts of answers too; the stage's own error says what failed.
    logLevel: 'off',
    timeout: Math.max(limits.firstByteMs, limits.wholeMs),
  })
}
