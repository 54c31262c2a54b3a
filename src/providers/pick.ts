/** Chooses who does what. Creating it starts and loads nothing; the work is loaded and run on first use. */
import { findProgram } from '../lib/find-program.ts'
import { installHint, readPlatform } from '../lib/install-hint.ts'
import { createImages, createScriptWriter } from './builtin/builtin.ts'
import { type Fonts, prepareFonts } from './builtin/fonts.ts'
import { createSpeech, likelyEngine, type SpeechEngine } from './builtin/speech.ts'
import { createFfmpeg, type Ffmpeg } from './ffmpeg/ffmpeg.ts'
import type { CallLimits, OpenAiSettings } from './openai/call.ts'
import { createOpenAi, describeModels, type OpenAi } from './openai/openai.ts'
import type {
  CallLedger,
  ImageProvider,
  ScriptWriter,
  SpeechProvider,
  TextModel,
  Transcriber,
  UsageRecord,
} from './provider.ts'

/** `nice` is the priority of subprocesses that no stage has asked for. */
export type ProviderOptions = {
  ffmpegPath: string | null
  ffprobePath: string | null
  fontDir: string | null
  nice: number
  /** Without it everything is built in. */
  openai?: OpenAiSettings
  /** Hears of every call that may cost something. */
  record?: (call: UsageRecord) => void
  /** Keeps the answers of paid calls, so that none is paid for twice. */
  ledger?: CallLedger
  limits?: CallLimits
}

export type Providers = {
  /** The configured chat model; null without one: pipelines then use what is built in. */
  text: TextModel | null
  /** Null without a model for it: what is said is never guessed. */
  transcribe: Transcriber | null
  script: ScriptWriter
  images: ImageProvider
  speech: SpeechProvider
  ffmpeg: Ffmpeg
  /** Fonts for what is drawn outside of pictures (subtitles), laid into a work folder. */
  fonts(workFolder: string): Promise<Fonts>
}

export function createProviders(options: ProviderOptions): Providers {
  const ffmpeg = createFfmpeg(options)
  const models = modelsOf(options, ffmpeg)
  return {
    text: models.text,
    transcribe: models.transcribe,
    script: models.script ?? createScriptWriter(),
    images: models.images ?? createImages(options.fontDir),
    speech: models.speech ?? createSpeech(),
    ffmpeg,
    fonts: (workFolder) => prepareFonts(workFolder, options.fontDir),
  }
}

const NO_MODELS: OpenAi = { text: null, script: null, images: null, speech: null, transcribe: null }

function modelsOf({ openai, record = () => {}, ledger, limits }: ProviderOptions, ffmpeg: Ffmpeg): OpenAi {
  return openai ? createOpenAi({ settings: openai, ffmpeg, record, ledger, limits }) : NO_MODELS
}

export type ProviderFacts = {
  ffmpeg: { path: string } | { missing: true; hint: string }
  speech: SpeechEngine
  /** The model that writes, or `builtin`. */
  text: string
  /** Who the configured models belong to, and their names; null without any. */
  models: { provider: string; where: string; names: string[] } | null
}

/** For the lines at boot: looks for programs, and starts none. */
export async function describeProviders(
  options: Pick<ProviderOptions, 'ffmpegPath' | 'openai'>,
): Promise<ProviderFacts> {
  const [path, speech] = await Promise.all([findProgram(options.ffmpegPath ?? 'ffmpeg'), likelyEngine()])
  const ffmpeg = path ? { path } : ({ missing: true, hint: installHint('ffmpeg', await readPlatform()) } as const)
  const models = options.openai ? describeModels(options.openai) : null
  return { ffmpeg, speech, text: (models && options.openai?.textModel) ?? 'builtin', models }
}

export type MissingProgram = { program: string; hint: string }

/** Those of `needs` that are not on this machine, each with the command that installs it. Starts no process. */
export async function missingPrograms(
  needs: readonly string[],
  options?: Partial<ProviderOptions>,
): Promise<MissingProgram[]> {
  const chosen: Record<string, string | null | undefined> = {
    ffmpeg: options?.ffmpegPath,
    ffprobe: options?.ffprobePath,
  }
  const found = await Promise.all(needs.map((program) => findProgram(chosen[program] ?? program)))
  const missing = needs.filter((_, index) => !found[index])
  if (missing.length === 0) return []
  const platform = await readPlatform()
  return missing.map((program) => ({ program, hint: installHint(program, platform) }))
}
