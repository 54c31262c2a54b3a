/** Pictures by an image model, brought to the wished size and format. */
import { rename, rm, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { isBadAnswer, ownFailure, providerError } from '../errors.ts'
import type { Ffmpeg } from '../ffmpeg/ffmpeg.ts'
import { costOf } from '../prices.ts'
import type { Artist, PictureBrief, Work } from '../provider.ts'
import type { Account, Call } from './call.ts'
import { imageBody } from './dialect.ts'
import type { Session } from './session.ts'

type ArtistParts = { model: string; ffmpeg: Ffmpeg; work: Work }

type RawImage = {
  b64: string | null
  url: string | null
  usage: { input_tokens: number; output_tokens: number } | null
  requestId: string | null
}

export function createArtist(session: Session, parts: ArtistParts): Artist {
  const { model } = parts
  return {
    async draw(brief) {
      const call = imageCall(session, brief, parts)
      const raw = await session.call(call)
      try {
        await fit(await bytesOf(session, raw, parts), brief, parts)
      } catch (error) {
        parts.work.signal.throwIfAborted()
        if (isBadAnswer(error)) await session.forget(call)
        throw error
      }
      return { provider: session.provider, model, degraded: [], usage: accountOf(raw, model).usage }
    },
    async [Symbol.asyncDispose]() {}, // nothing runs between two pictures
  }
}

function imageCall(session: Session, brief: PictureBrief, { model, work }: ArtistParts): Call<RawImage> {
  const body = imageBody(session.dialect, { ...brief, model, prompt: promptOf(brief) })
  const { signal } = work
  return {
    kind: 'image',
    model,
    requestKey: `${work.requestKey ?? 'image'}/${basename(brief.path)}`,
    body,
    signal,
    async send(client, { headers }) {
      const timeout = session.limits.wholeMs
      const { data, request_id } = await client.images.generate(body, { headers, signal, timeout }).withResponse()
      const image = data.data?.[0]
      return { b64: image?.b64_json ?? null, url: image?.url ?? null, usage: data.usage ?? null, requestId: request_id }
    },
    account: (raw) => accountOf(raw, model),
  }
}

/** A picture without words would lose its headline, and a model may letter it; the words decide what is seen. */
function promptOf({ scene, headline }: PictureBrief): string {
  const lettering = headline
    ? `Set the words "${headline}" in the lower third, in large clear letters, spelled exactly so; no other text.`
    : 'No text anywhere in the picture.'
  return `An illustration for a film, of this scene: ${scene}\n${lettering}`
}

/** Some servers answer with an address in spite of what they were asked. */
async function bytesOf(session: Session, raw: RawImage, { model, work }: ArtistParts): Promise<Uint8Array> {
  if (raw.b64) return Buffer.from(raw.b64, 'base64')
  const called = { ...session.called('image', model), requestId: raw.requestId }
  if (!raw.url) throw ownFailure('invalid_output', 'the answer holds no picture', called)
  const signal = AbortSignal.any([work.signal, AbortSignal.timeout(session.limits.wholeMs)])
  try {
    const response = await fetch(raw.url, { signal })
    if (response.ok) return new Uint8Array(await response.arrayBuffer())
    throw ownFailure('transient', `the picture's address answered ${response.status}`, called)
  } catch (error) {
    work.signal.throwIfAborted()
    throw providerError(error, called)
  }
}

/** Brought to the wished size and format; the program chooses its encoder by the ending of the name. */
async function fit(bytes: Uint8Array, brief: PictureBrief, { ffmpeg, work }: ArtistParts): Promise<void> {
  const original = `${brief.path}.original`
  const fitted = `${brief.path}.fitted.${brief.format === 'png' ? 'png' : 'jpg'}`
  await writeFile(original, bytes)
  await ffmpeg.run(fitArgs(original, fitted, brief), work)
  await rename(fitted, brief.path)
  await rm(original)
}

/** Covers the wished frame and cuts what is over, like a photograph in a frame. */
function fitArgs(source: string, target: string, { width, height, format }: PictureBrief): string[] {
  const cover = `scale=${width}:${height}:force_original_aspect_ratio=increase:flags=lanczos,crop=${width}:${height}`
  const head = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', '-i', source]
  return [...head, '-vf', cover, '-frames:v', '1', ...(format === 'jpeg' ? ['-q:v', '2'] : []), target]
}

function accountOf({ usage, requestId }: RawImage, model: string): Account {
  const units = { inputTokens: usage?.input_tokens ?? 0, outputTokens: usage?.output_tokens ?? 0 }
  return {
    usage: {
      input_tokens: units.inputTokens,
      output_tokens: units.outputTokens,
      cost_usd: usage ? costOf(model, units) : null,
    },
    source: usage ? 'reported' : 'estimated',
    served: null,
    requestId,
  }
}
