/** Pictures by an image model, brought to the wished size and format. */
import { rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ownFailure } from '../errors.ts'
import type { Ffmpeg } from '../ffmpeg/ffmpeg.ts'
import { costOf } from '../prices.ts'
import type { Artist, PictureBrief, Work } from '../provider.ts'
import { imageBody } from './dialect.ts'
import type { Account, Session } from './session.ts'

type ArtistParts = { model: string; ffmpeg: Ffmpeg; work: Work }

type RawImage = {
  b64: string | null
  url: string | null
  usage: { input_tokens: number; output_tokens: number } | null
  requestId: string | null
}

export function createArtist(session: Session, { model, ffmpeg, work }: ArtistParts): Artist {
  return {
    async draw(brief) {
      const raw = await askImage(session, { model, brief, work })
      const bytes = await bytesOf(session, { model, raw, work })
      const original = `${brief.path}.original`
      await writeFile(original, bytes)
      await ffmpeg.run(fitArgs(original, brief), work)
      await rename(fittedPath(brief), brief.path)
      return { provider: session.provider, model, degraded: [], usage: accountOf(raw, model).usage }
    },
    async [Symbol.asyncDispose]() {}, // nothing runs between two pictures
  }
}

function askImage(session: Session, { model, brief, work }: { model: string; brief: PictureBrief; work: Work }) {
  const body = imageBody(session.dialect, { ...brief, model, prompt: promptOf(brief) })
  const { signal } = work
  return session.call<RawImage>({
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
  })
}

/** A picture without words would lose its headline, and a model may letter it; the words decide what is seen. */
function promptOf({ scene, headline }: PictureBrief): string {
  const lettering = headline
    ? `Set the words "${headline}" in the lower third, in large clear letters, spelled exactly so; no other text.`
    : 'No text anywhere in the picture.'
  return `An illustration for a film, of this scene: ${scene}\n${lettering}`
}

/** Some servers answer with an address in spite of what they were asked. */
async function bytesOf(session: Session, { model, raw, work }: { model: string; raw: RawImage; work: Work }) {
  if (raw.b64) return Buffer.from(raw.b64, 'base64')
  const called = { ...session.called('image', model), requestId: raw.requestId }
  if (!raw.url) throw ownFailure('invalid_output', 'the answer holds no picture', called)
  const signal = AbortSignal.any([work.signal, AbortSignal.timeout(session.limits.wholeMs)])
  const response = await fetch(raw.url, { signal }).catch((error: unknown) => {
    work.signal.throwIfAborted()
    throw ownFailure('transient', `the picture could not be fetched: ${String(error)}`, called)
  })
  if (!response.ok) throw ownFailure('transient', `the picture's address answered ${response.status}`, called)
  return Buffer.from(await response.arrayBuffer())
}

/** The program chooses its encoder by the name's ending, and brief paths may end in anything. */
function fittedPath({ path, format }: PictureBrief): string {
  return join(`${path}.fitted.${format === 'png' ? 'png' : 'jpg'}`)
}

/** Covers the wished frame and cuts what is over, like a photograph in a frame. */
function fitArgs(source: string, brief: PictureBrief): string[] {
  const { width, height } = brief
  const cover = `scale=${width}:${height}:force_original_aspect_ratio=increase:flags=lanczos,crop=${width}:${height}`
  const head = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', '-i', source]
  return [...head, '-vf', cover, '-frames:v', '1', ...(brief.format === 'jpeg' ? ['-q:v', '2'] : []), fittedPath(brief)]
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
