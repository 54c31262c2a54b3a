/** What the configured models do, each loaded when it is first asked: a boot must not wait for a library. */
import type { Ffmpeg } from '../ffmpeg/ffmpeg.ts'
import type {
  CallLedger,
  ImageProvider,
  ScriptWriter,
  SpeechProvider,
  TextModel,
  Transcriber,
  UsageRecord,
} from '../provider.ts'
import type { CallLimits, OpenAiSettings } from './call.ts'
import { baseUrlOf, dialectOf, providerName } from './dialect.ts'
import type { Session } from './session.ts'

export type OpenAiOptions = {
  settings: OpenAiSettings
  ffmpeg: Ffmpeg
  record: (call: UsageRecord) => void
  ledger?: CallLedger
  limits?: CallLimits
}

/** Null for what no model is set for. */
export type OpenAi = {
  text: TextModel | null
  script: ScriptWriter | null
  images: ImageProvider | null
  speech: SpeechProvider | null
  transcribe: Transcriber | null
}

/** Which server and models are set, or null when none can be used. */
export function describeModels(settings: OpenAiSettings): { provider: string; where: string; names: string[] } | null {
  const { textModel, imageModel, speechModel, transcribeModel } = settings
  const names = [textModel, imageModel, speechModel, transcribeModel].filter((name) => name !== null)
  if (!isReachable(settings) || names.length === 0) return null
  const baseUrl = baseUrlOf(settings.baseUrl)
  return { provider: providerName(dialectOf(baseUrl)), where: new URL(baseUrl).host, names: [...new Set(names)] }
}

export function createOpenAi(options: OpenAiOptions): OpenAi {
  const { settings, ffmpeg } = options
  const reachable = isReachable(settings)
  let session: Promise<Session> | undefined
  const open = () => {
    session ??= import('./session.ts').then(({ openSession }) => openSession(options))
    return session
  }
  const ifSet = <T>(model: string | null, create: (model: string) => T) => (reachable && model ? create(model) : null)
  const text = ifSet(settings.textModel, (model) => lazyText(settings, model, open))
  return {
    text,
    script: text && {
      write: async (brief, work) => (await import('./script.ts')).writeScript(text, brief, work),
    },
    images: ifSet(settings.imageModel, (model) => ({
      open: async (work) => (await import('./images.ts')).createArtist(await open(), { model, ffmpeg, work }),
    })),
    speech: ifSet(settings.speechModel, (model) => ({
      open: async (wish, work) =>
        (await import('./speech.ts')).createNarrator(await open(), { model, ffmpeg, wish, work }),
    })),
    transcribe: ifSet(settings.transcribeModel, (model) => ({
      transcribe: async (path, work) =>
        (await import('./transcription.ts')).transcribe(await open(), { model, path, work }),
    })),
  }
}

/** A key or an address is enough: local servers need no key. */
function isReachable({ apiKey, baseUrl }: OpenAiSettings): boolean {
  return apiKey !== null || baseUrl !== null
}

function lazyText(settings: OpenAiSettings, model: string, open: () => Promise<Session>): TextModel {
  let loaded: Promise<TextModel> | undefined
  const load = () => {
    loaded ??= Promise.all([import('./text.ts'), open()]).then(([{ createTextModel }, session]) =>
      createTextModel(session, model),
    )
    return loaded
  }
  return {
    provider: providerName(dialectOf(baseUrlOf(settings.baseUrl))),
    model,
    async *stream(request) {
      return yield* (await load()).stream(request)
    },
    json: async (request) => (await load()).json(request),
  }
}
