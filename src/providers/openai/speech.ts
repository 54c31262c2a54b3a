/** Narration by a speech model, as the mono WAV files that the film is made of. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { loudnessOf, parseWav, SPEECH_RATE, writeWav } from '../builtin/wav.ts'
import { isBadAnswer, ownFailure } from '../errors.ts'
import type { Ffmpeg } from '../ffmpeg/ffmpeg.ts'
import { costOf } from '../prices.ts'
import type { Narrator, VoiceWish, Work } from '../provider.ts'
import { NO_USAGE, sumUsage } from '../usage.ts'
import type { Account, Call } from './call.ts'
import type { Session } from './session.ts'

type NarratorParts = { model: string; ffmpeg: Ffmpeg; wish: VoiceWish; work: Work }

/** Base64, so that the ledger can keep it. */
type RawSpeech = { audio: string; requestId: string | null }

/** The interface's limit for one request. */
const INPUT_MAX = 4_096
/** Known to OpenAI and to most servers that imitate it; a film can wish another. */
const DEFAULT_VOICE = 'alloy'
/** -60 dB, as for the built-in voice: what is softer is no speech. */
const AUDIBLE = 0.001

export function createNarrator(session: Session, parts: NarratorParts): Narrator {
  const { model, wish } = parts
  const voice = wish.voice ?? DEFAULT_VOICE
  return {
    engine: model,
    voice,
    silent: false,
    provenance: { provider: session.provider, model, degraded: [] },
    async speak(text, path) {
      const spoken: Awaited<ReturnType<typeof speakPiece>>[] = []
      for (const [index, piece] of piecesOf(text).entries())
        spoken.push(await speakPiece(session, { ...parts, voice, piece, path, index }))
      const samples = joined(spoken.map((part) => part.samples))
      await writeWav(path, { sampleRate: SPEECH_RATE, samples })
      return {
        durationS: samples.length / SPEECH_RATE,
        audible: loudnessOf(samples) >= AUDIBLE,
        usage: sumUsage(spoken.map((part) => part.usage)),
      }
    },
  }
}

/** At most what one request takes, cut after a sentence, else after a word. */
export function piecesOf(text: string, max = INPUT_MAX): string[] {
  const pieces: string[] = []
  let rest = text.trim()
  while (rest.length > max) {
    const head = rest.slice(0, max)
    const sentence = [...head.matchAll(/[.!?。！？]["'”’)]*(\s+|(?<=[。！？]))/g)].at(-1)
    const cut = sentence ? sentence.index + sentence[0].length : head.lastIndexOf(' ') + 1
    // Without either, anywhere but inside a pair of surrogates.
    const end = cut > 0 ? cut : /[\ud800-\udbff]$/.test(head) ? max - 1 : max
    pieces.push(rest.slice(0, end).trim())
    rest = rest.slice(end).trim()
  }
  return [...pieces, rest]
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

type Piece = NarratorParts & { voice: string; piece: string; path: string; index: number }

async function speakPiece(session: Session, parts: Piece) {
  const call = speechCall(session, parts)
  const raw = await session.call(call)
  try {
    const samples = await decode(Buffer.from(raw.audio, 'base64'), parts)
    if (samples.length > 0) return { samples, usage: accountOf(raw, parts).usage }
    throw ownFailure('invalid_output', 'the answer holds no sound', session.called('speech', parts.model))
  } catch (error) {
    parts.work.signal.throwIfAborted()
    if (isBadAnswer(error)) await session.forget(call)
    throw error
  }
}

/** Servers send what they like, e.g. WAV without lengths in its header or MP3 under another name. */
async function decode(audio: Uint8Array, { ffmpeg, work, path, index }: Piece): Promise<Int16Array> {
  const source = `${path}.${index}.original`
  const target = `${path}.${index}.wav`
  await writeFile(source, audio)
  const head = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', '-i', source]
  await ffmpeg.run([...head, '-ac', '1', '-ar', String(SPEECH_RATE), '-c:a', 'pcm_s16le', target], work)
  const { samples } = parseWav(await readFile(target), basename(path))
  await Promise.all([rm(source), rm(target)])
  return samples
}

function speechCall(session: Session, parts: Piece): Call<RawSpeech> {
  const { model, voice, piece, path, work } = parts
  const body = { model, voice, input: piece, response_format: 'wav' as const }
  return {
    kind: 'speech',
    model,
    requestKey: `${work.requestKey ?? 'speech'}/${basename(path)}`,
    body,
    signal: work.signal,
    async send(client, { headers }) {
      // The client's own limit ends with the headers.
      const signal = AbortSignal.any([work.signal, AbortSignal.timeout(session.limits.wholeMs)])
      const response = await client.audio.speech.create(body, { headers, signal })
      const audio = Buffer.from(await response.arrayBuffer()).toString('base64')
      return { audio, requestId: response.headers.get('x-request-id') }
    },
    account: (raw) => accountOf(raw, parts),
  }
}

/** Paid by the character; the answer itself tells nothing. */
function accountOf({ requestId }: RawSpeech, { model, piece }: Pick<Piece, 'model' | 'piece'>): Account {
  return {
    usage: { ...NO_USAGE, cost_usd: costOf(model, { characters: [...piece].length }) },
    source: 'estimated',
    served: null,
    requestId,
  }
}
