/** What is said in a recording, with the times of words where the model gives them. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { sha256 } from '../../lib/ids.ts'
import { costOf } from '../prices.ts'
import type { Transcript, Work } from '../provider.ts'
import type { Account } from './call.ts'
import type { Session } from './session.ts'

type Wish = { model: string; path: string; work: Work }

type RawTranscript = {
  text: string
  language?: string
  duration?: number
  words?: { word: string; start: number; end: number }[]
  usage?: { input_tokens?: number; output_tokens?: number; seconds?: number }
  requestId: string | null
}

/** Throws AppErrors with a class, as every call does. */
export async function transcribe(session: Session, wish: Wish): Promise<Transcript> {
  const raw = await askTranscript(session, wish)
  const words = raw.words?.map(({ word, start, end }) => ({ text: word, startS: start, endS: end })) ?? null
  return {
    provider: session.provider,
    model: wish.model,
    degraded: words ? [] : ['this model does not tell when each word is said'],
    usage: accountOf(raw, wish.model).usage,
    text: raw.text,
    language: raw.language ?? null,
    words,
  }
}

async function askTranscript(session: Session, { model, path, work }: Wish): Promise<RawTranscript> {
  const bytes = await readFile(path)
  const format = formatOf(model)
  return session.call<RawTranscript>({
    kind: 'transcription',
    model,
    requestKey: `${work.requestKey ?? 'transcription'}/${basename(path)}`,
    body: { model, sha256: sha256(bytes), ...format },
    signal: work.signal,
    async send(client, { headers }) {
      const file = new File([bytes], basename(path))
      const timeout = session.limits.wholeMs
      const { data, request_id } = await client.audio.transcriptions
        .create({ model, file, ...format }, { headers, signal: work.signal, timeout })
        .withResponse()
      return { ...(data as Omit<RawTranscript, 'requestId'>), requestId: request_id }
    },
    account: (raw) => accountOf(raw, model),
  })
}

/** Only the Whisper family gives times; the others refuse to be asked. */
function formatOf(model: string) {
  if (!/whisper/i.test(model)) return { response_format: 'json' as const }
  return { response_format: 'verbose_json' as const, timestamp_granularities: ['word' as const] }
}

function accountOf({ usage, duration, requestId }: RawTranscript, model: string): Account {
  const seconds = usage?.seconds ?? duration ?? 0
  const units = { inputTokens: usage?.input_tokens ?? 0, outputTokens: usage?.output_tokens ?? 0, seconds }
  return {
    usage: { input_tokens: units.inputTokens, output_tokens: units.outputTokens, cost_usd: costOf(model, units) },
    source: usage ? 'reported' : 'estimated',
    served: null,
    requestId,
  }
}
