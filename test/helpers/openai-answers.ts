/** What the server of openai-server.ts says: deterministic, and a function of the question alone. */
import { createHash } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'

export type ChatBody = {
  model: string
  messages: { role: string; content: string }[]
  stream?: boolean
  stream_options?: { include_usage?: boolean }
  response_format?: { type: string; json_schema?: { schema: object } }
}

const WORDS = 'amber brook cedar dawn ember fable grove harbour island juniper 灯 kite 海 lantern 🌙 meadow'.split(' ')

/** Text for plain questions; for JSON a value that fits the schema, wherever the schema was said. */
export function answerTo(body: ChatBody, words = 40): string {
  const prompt = body.messages.map((message) => message.content).join('\n')
  const schema = schemaIn(body)
  return schema ? JSON.stringify(sample(schema, prompt)) : wordsFrom(prompt, words)
}

/** Tokens as servers send them: a word with the blank before it. */
export function tokensOf(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? []
}

function schemaIn({ response_format, messages }: ChatBody): Schema | null {
  if (response_format?.json_schema) return response_format.json_schema.schema as Schema
  const told = /JSON Schema:\n(\{.*\})/.exec(messages[0]?.content ?? '')?.[1]
  return told ? (JSON.parse(told) as Schema) : null
}

function wordsFrom(seed: string, count: number): string {
  const bytes = createHash('sha512').update(seed).digest()
  const words = Array.from({ length: count }, (_, i) => WORDS[(bytes[i % 64]! + i) % WORDS.length])
  return `${words.join(' ')}.`
}

type Schema = {
  type?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  items?: Schema
  minItems?: number
  minimum?: number
  maximum?: number
  maxLength?: number
  pattern?: string
}

function sample(schema: Schema, seed: string): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[createHash('md5').update(seed).digest()[0]! % schema.enum.length]
  if (schema.anyOf) return sample(schema.anyOf[0]!, seed)
  if (schema.type === 'object')
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([k, v]) => [k, sample(v, `${seed}/${k}`)]))
  if (schema.type === 'array')
    return Array.from({ length: Math.max(2, schema.minItems ?? 0) }, (_, i) =>
      sample(schema.items ?? {}, `${seed}/${i}`),
    )
  if (schema.type === 'boolean') return true
  if (schema.type === 'integer' || schema.type === 'number')
    return Math.min(schema.maximum ?? 3, Math.max(schema.minimum ?? 3, 3))
  if (schema.pattern && new RegExp(schema.pattern).test('en')) return 'en'
  return wordsFrom(seed, 5).slice(0, schema.maxLength ?? 200)
}

/** A real PNG of `WxH` in a colour that the prompt decides. */
export function pictureOf(prompt: string, size = '1024x1024'): Buffer {
  const [width, height] = size.split('x').map(Number) as [number, number]
  const colour = createHash('md5').update(prompt).digest().subarray(0, 3)
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, colour)])
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const rows = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)), { level: 1 })
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const frame = Buffer.alloc(data.length + 12)
  frame.writeUInt32BE(data.length, 0)
  body.copy(frame, 4)
  frame.writeUInt32BE(crc32(body), data.length + 8)
  return frame
}

/** A tone as long as the text takes to say, with the endless lengths that OpenAI writes into a streamed header. */
export function speechOf(text: string, rate = 24_000): Buffer {
  const samples = Math.round((rate * [...text].length) / 15)
  const wav = Buffer.alloc(44 + samples * 2)
  wav.write('RIFF\xff\xff\xff\xffWAVEfmt ', 'latin1')
  wav.writeUInt32LE(16, 16)
  wav.writeUInt16LE(1, 20)
  wav.writeUInt16LE(1, 22)
  wav.writeUInt32LE(rate, 24)
  wav.writeUInt32LE(rate * 2, 28)
  wav.writeUInt16LE(2, 32)
  wav.writeUInt16LE(16, 34)
  wav.write('data\xff\xff\xff\xff', 36, 'latin1')
  for (let i = 0; i < samples; i++)
    wav.writeInt16LE(Math.round(8_000 * Math.sin((i * 2 * Math.PI * 220) / rate)), 44 + i * 2)
  return wav
}
