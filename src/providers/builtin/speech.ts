/** Narration by espeak-ng: the installed program, else its WebAssembly build, else silence that says what it is. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { AppError, errnoOf } from '../../lib/errors.ts'
import { exec } from '../../lib/exec.ts'
import { findProgram } from '../../lib/find-program.ts'
import type { Narrator, SpeechProvider, Spoken, VoiceWish, Work } from '../provider.ts'
import { speakingS } from './pace.ts'
import { hasVoice, parseVoices, voiceFor } from './voices.ts'
import { loudnessOf, parseWav, silence, type Wav, writeWav } from './wav.ts'

export type SpeechEngine = 'espeak-ng' | 'espeak-ng (wasm)' | 'silence'

/** How an engine is started: program and first arguments; null for silence. */
type Command = { file: string; args: readonly string[] } | null

const WORDS_PER_MINUTE = '165'
const LINE_TIMEOUT_MS = 60_000
/** -60 dB: espeak-ng's speech is a thousand times louder in power than this. */
const AUDIBLE = 0.001
/** Less is a click, made of signs that have no name. */
const SHORTEST_S = 0.15

const PROGRAM = { file: 'espeak-ng', args: [] } as const

/** `engineOf` decides what speaks; by default the best that this machine has. */
export function createSpeech(engineOf: typeof findEngine = findEngine): SpeechProvider {
  return {
    async open(wish, work) {
      const engine = await engineOf(work.signal)
      const command = commandOf(engine)
      if (!command) return silentNarrator('no speech program is installed (espeak-ng)')
      const list = await exec(command.file, [...command.args, '--voices'], { ...running(work), timeoutMs: 20_000 })
      const voice = chooseVoice(parseVoices(list.stdout), wish)
      if (voice === undefined)
        return silentNarrator(`espeak-ng has no voice for ${wish.language} (${wish.writing} script)`)
      return espeakNarrator({ engine, command, voice, work })
    },
  }
}

/** The best engine of this machine. */
export async function findEngine(signal?: AbortSignal): Promise<SpeechEngine> {
  try {
    await exec(PROGRAM.file, ['--version'], { signal, timeoutMs: 10_000 })
    return 'espeak-ng'
  } catch (error) {
    signal?.throwIfAborted()
    // Missing or broken, it makes no difference: the next one is tried.
    if (!(error instanceof AppError)) throw error
  }
  return isResolvable('espeak-ng') ? 'espeak-ng (wasm)' : 'silence'
}

/** The same by a look at what is installed, for a line that must not wait for a program. */
export async function likelyEngine(): Promise<SpeechEngine> {
  if (await findProgram(PROGRAM.file)) return 'espeak-ng'
  return isResolvable('espeak-ng') ? 'espeak-ng (wasm)' : 'silence'
}

function commandOf(engine: SpeechEngine): Command {
  if (engine === 'silence') return null
  if (engine === 'espeak-ng') return PROGRAM
  const entry = fileURLToPath(new URL('./espeak-child.ts', import.meta.url))
  return { file: process.execPath, args: ['--disable-warning=ExperimentalWarning', entry] }
}

function isResolvable(name: string): boolean {
  try {
    import.meta.resolve(name)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ERR_MODULE_NOT_FOUND') return false
    throw error
  }
}

/** Throws `invalid_value` for a wished voice that the engine does not have. */
function chooseVoice(voices: ReadonlySet<string>, wish: VoiceWish): string | undefined {
  if (wish.voice === null) return voiceFor(voices, wish.language, wish.writing)
  if (hasVoice(voices, wish.voice)) return wish.voice
  throw new AppError(
    'invalid_value',
    `There is no voice "${wish.voice}"; \`espeak-ng --voices\` lists those that there are`,
  )
}

type Espeak = { engine: SpeechEngine; command: NonNullable<Command>; voice: string; work: Work }

function espeakNarrator({ engine, command, voice, work }: Espeak): Narrator {
  return {
    engine,
    voice,
    silent: false,
    provenance: { provider: 'builtin', model: null, degraded: [] },
    async speak(text, path) {
      const args = [...command.args, '-v', voice, '-s', WORDS_PER_MINUTE, '-z', '--stdin', '-w', path]
      await exec(command.file, args, { ...running(work), input: spoken(text), timeoutMs: LINE_TIMEOUT_MS })
      const wav = await readSpeech(path)
      if (wav === undefined || secondsOf(wav) < SHORTEST_S || loudnessOf(wav.samples) < AUDIBLE)
        return speakSilence(text, path)
      return { durationS: secondsOf(wav), audible: true }
    },
  }
}

function silentNarrator(why: string): Narrator {
  return {
    engine: 'silence',
    voice: null,
    silent: true,
    provenance: { provider: 'builtin', model: null, degraded: [`narration is timed silence: ${why}`] },
    speak: speakSilence,
  }
}

async function speakSilence(text: string, path: string): Promise<Spoken> {
  const wav = silence(speakingS(text))
  await writeWav(path, wav)
  return { durationS: secondsOf(wav), audible: false }
}

/** espeak-ng writes no file, or an empty one, when a text has nothing that can be said. */
async function readSpeech(path: string): Promise<Wav | undefined> {
  try {
    return parseWav(await readFile(path), 'the spoken line')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || (error instanceof AppError && error.code === 'invalid_output')) return undefined
    throw error
  }
}

/** `[[…]]` would be taken as phonemes. */
function spoken(text: string): string {
  return text.replaceAll('[[', '[ [')
}

function secondsOf(wav: Wav): number {
  return wav.samples.length / wav.sampleRate
}

function running(work: Work) {
  return { cwd: work.folder, signal: work.signal, nice: work.nice }
}
