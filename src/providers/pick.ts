/** Chooses who does what. Creating it starts and loads nothing; the work is loaded and run on first use. */
import { findProgram } from '../lib/find-program.ts'
import { installHint, readPlatform } from '../lib/install-hint.ts'
import { createImages, createScriptWriter } from './builtin/builtin.ts'
import { type Fonts, prepareFonts } from './builtin/fonts.ts'
import { createSpeech, likelyEngine, type SpeechEngine } from './builtin/speech.ts'
import { createFfmpeg, type Ffmpeg } from './ffmpeg/ffmpeg.ts'
import type { ImageProvider, ScriptWriter, SpeechProvider, TextModel } from './provider.ts'

/** `nice` is the priority of subprocesses that no stage has asked for. */
export type ProviderOptions = {
  ffmpegPath: string | null
  ffprobePath: string | null
  fontDir: string | null
  nice: number
}

export type Providers = {
  /** The configured chat model; null without one: pipelines then use what is built in. */
  text: TextModel | null
  script: ScriptWriter
  images: ImageProvider
  speech: SpeechProvider
  ffmpeg: Ffmpeg
  /** Fonts for what is drawn outside of pictures (subtitles), laid into a work folder. */
  fonts(workFolder: string): Promise<Fonts>
}

export function createProviders(options: ProviderOptions): Providers {
  return {
    text: null,
    script: createScriptWriter(),
    images: createImages(options.fontDir),
    speech: createSpeech(),
    ffmpeg: createFfmpeg(options),
    fonts: (workFolder) => prepareFonts(workFolder, options.fontDir),
  }
}

export type ProviderFacts = {
  ffmpeg: { path: string } | { missing: true; hint: string }
  speech: SpeechEngine
  text: 'builtin'
}

/** For the lines at boot: looks for programs, and starts none. */
export async function describeProviders(options: Pick<ProviderOptions, 'ffmpegPath'>): Promise<ProviderFacts> {
  const [path, speech] = await Promise.all([findProgram(options.ffmpegPath ?? 'ffmpeg'), likelyEngine()])
  const ffmpeg = path ? { path } : ({ missing: true, hint: installHint('ffmpeg', await readPlatform()) } as const)
  return { ffmpeg, speech, text: 'builtin' }
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
