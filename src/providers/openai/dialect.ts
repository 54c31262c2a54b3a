/** Which parameters a server understands: strict ones refuse unknown names, careless ones ignore them in silence. */
import type { TextRequest } from '../provider.ts'

export type Dialect = 'openai' | 'gemini' | 'ollama' | 'openrouter' | 'generic'

/** How the model is told that JSON is wanted, best first. */
export type JsonMode = 'json_schema' | 'json_object' | 'plain'

export type JsonWish = { mode: JsonMode; name: string; jsonSchema: object }

export type ChatWish = Pick<TextRequest, 'system' | 'user' | 'maxTokens' | 'temperature'> & {
  model: string
  json?: JsonWish
}

type Rule = {
  /** Ollama and older servers know only the old name; OpenAI's reasoning models only the new one. */
  maxTokens: 'max_tokens' | 'max_completion_tokens'
  streamOptions: Record<string, boolean>
  strictSchema: boolean
  imageFormat: boolean
}

const RULES: Record<Dialect, Rule> = {
  openai: {
    maxTokens: 'max_completion_tokens',
    streamOptions: { include_usage: true, include_obfuscation: false },
    strictSchema: true,
    imageFormat: false,
  },
  gemini: { maxTokens: 'max_tokens', streamOptions: { include_usage: true }, strictSchema: false, imageFormat: true },
  ollama: { maxTokens: 'max_tokens', streamOptions: { include_usage: true }, strictSchema: false, imageFormat: true },
  openrouter: {
    maxTokens: 'max_tokens',
    streamOptions: { include_usage: true },
    strictSchema: true,
    imageFormat: true,
  },
  generic: { maxTokens: 'max_tokens', streamOptions: { include_usage: true }, strictSchema: false, imageFormat: true },
}

const OPENAI_URL = 'https://api.openai.com/v1'

export function baseUrlOf(baseUrl: string | null): string {
  return baseUrl ?? OPENAI_URL
}

export function dialectOf(baseUrl: string): Dialect {
  const { hostname, port } = new URL(baseUrl)
  if (hostname === 'api.openai.com' || hostname.endsWith('.openai.com')) return 'openai'
  if (hostname === 'generativelanguage.googleapis.com') return 'gemini'
  if (hostname === 'openrouter.ai' || hostname.endsWith('.openrouter.ai')) return 'openrouter'
  return port === '11434' || /(^|\.)ollama(\.|$)/.test(hostname) ? 'ollama' : 'generic'
}

/** What a state and a page call the provider. */
export function providerName(dialect: Dialect): string {
  return dialect === 'generic' ? 'openai-compatible' : dialect
}

/** The body of a streamed chat completion, with nothing in it that this server does not know. */
export function chatBody(dialect: Dialect, wish: ChatWish) {
  const rule = RULES[dialect]
  return {
    model: wish.model,
    messages: [
      { role: 'system' as const, content: wish.system },
      { role: 'user' as const, content: wish.user },
    ],
    stream: true as const,
    stream_options: rule.streamOptions,
    ...(wish.maxTokens === undefined ? {} : { [rule.maxTokens]: wish.maxTokens }),
    ...(wish.temperature !== undefined && takesTemperature(dialect, wish.model)
      ? { temperature: wish.temperature }
      : {}),
    ...(wish.json ? responseFormat(wish.json, rule) : {}),
  }
}

/** The body of an image request; servers other than OpenAI's must be asked for data instead of an address. */
export function imageBody(dialect: Dialect, wish: { model: string; prompt: string; width: number; height: number }) {
  const size = imageSize(dialect, wish)
  return {
    model: wish.model,
    prompt: wish.prompt,
    n: 1,
    ...(size ? { size } : {}),
    ...(RULES[dialect].imageFormat ? { response_format: 'b64_json' as const } : {}),
  }
}

/** OpenAI's reasoning models refuse a temperature, and all its newer models reason. */
function takesTemperature(dialect: Dialect, model: string): boolean {
  return dialect !== 'openai' || /^(ft:)?(gpt-3\.5|gpt-4|chatgpt)/.test(model)
}

function responseFormat({ mode, name, jsonSchema }: JsonWish, rule: Rule) {
  if (mode === 'plain') return {}
  if (mode === 'json_object') return { response_format: { type: 'json_object' as const } }
  const schema = { name, schema: jsonSchema as Record<string, unknown>, ...(rule.strictSchema ? { strict: true } : {}) }
  return { response_format: { type: 'json_schema' as const, json_schema: schema } }
}

const STANDARD_SIZES = [
  [1024, 1024],
  [1536, 1024],
  [1024, 1536],
] as const

/** Gemini takes no size; OpenAI's first generation knows three, and its second any with sides divisible by 16. */
function imageSize(dialect: Dialect, wish: { model: string; width: number; height: number }): string | null {
  if (dialect === 'gemini') return null
  const ratio = wish.width / wish.height
  if (/^(gpt-image-1|chatgpt-image)/.test(wish.model)) {
    const distance = ([w, h]: readonly [number, number]) => Math.abs(Math.log(w / h / ratio))
    const [width, height] = STANDARD_SIZES.toSorted((a, b) => distance(a) - distance(b))[0]!
    return `${width}x${height}`
  }
  const scale = Math.sqrt((1024 * 1024) / (wish.width * wish.height))
  const [width, height] = [wish.width, wish.height].map((side) => Math.max(256, Math.round((side * scale) / 16) * 16))
  return `${width}x${height}`
}
