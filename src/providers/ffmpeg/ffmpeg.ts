/** Runs ffmpeg and ffprobe. What they are asked is built elsewhere, as values. */
import { AppError } from '../../lib/errors.ts'
import { exec } from '../../lib/exec.ts'
import { installHint, readPlatform } from '../../lib/install-hint.ts'
import type { Work } from '../provider.ts'
import { loudnessArgs, parseLoudness } from './film.ts'
import { type ExpectedMedia, type MediaFacts, parseProbe, probeArgs, problemsOf } from './probe.ts'
import { framesOf } from './progress.ts'

export type FfmpegOptions = { ffmpegPath: string | null; ffprobePath: string | null }

export type Capabilities = { filters: ReadonlySet<string>; encoders: ReadonlySet<string> }

export type FfmpegRun = { env?: Record<string, string>; onFrames?: (frames: number) => void }

export type Ffmpeg = {
  /** Runs in the work's folder until exit code 0. Throws as `exec` does, with the install command when missing. */
  run(args: readonly string[], work: Work, options?: FfmpegRun): Promise<void>
  /** The loudness of a sound file in LUFS, or null when it is silent. */
  loudness(path: string, work: Work): Promise<number | null>
  probe(path: string, work: Work): Promise<MediaFacts>
  /** Throws `invalid_output` with every difference; gives the facts of a file that is as planned. */
  check(path: string, expected: ExpectedMedia, work: Work): Promise<MediaFacts>
  /** Filters and encoders of this build, asked once. */
  capabilities(work: Work): Promise<Capabilities>
  /** Throws `missing_program` when this build lacks one of the filters or encoders. */
  require(names: { filters: readonly string[]; encoders: readonly string[] }, work: Work): Promise<void>
  /** The version, or undefined when it is not installed. */
  version(): Promise<string | undefined>
}

export function createFfmpeg(options: FfmpegOptions): Ffmpeg {
  const ffmpeg = options.ffmpegPath ?? 'ffmpeg'
  const ffprobe = options.ffprobePath ?? 'ffprobe'
  let known: Promise<Capabilities> | undefined
  const capabilities = (work: Work) => {
    known ??= readCapabilities(ffmpeg, work).catch((error: unknown) => {
      known = undefined // a cancelled or failed question must not be the answer for ever
      throw error
    })
    return known
  }
  const probe = async (path: string, work: Work) => {
    const result = await hinted('ffprobe', exec(ffprobe, probeArgs(path), { ...shared(work), timeoutMs: 120_000 }))
    return parseProbe(result.stdout)
  }
  return {
    async run(args, work, run = {}) {
      const onLine = (line: string) => {
        const frames = framesOf(line)
        if (frames !== undefined) run.onFrames?.(frames)
      }
      await hinted('ffmpeg', exec(ffmpeg, args, { ...shared(work), env: run.env, onLine }))
    },
    async loudness(path, work) {
      const { stderr } = await hinted('ffmpeg', exec(ffmpeg, loudnessArgs(path), shared(work)))
      return parseLoudness(stderr)
    },
    probe,
    async check(path, expected, work) {
      const facts = await probe(path, work)
      const problems = problemsOf(facts, expected)
      if (problems.length === 0) return facts
      throw new AppError('invalid_output', `The video is not as planned: ${problems.join('; ')}`, {
        details: { facts },
      })
    },
    capabilities,
    async require(names, work) {
      const has = await capabilities(work)
      const lacking = [
        ...names.filters.filter((n) => !has.filters.has(n)).map((n) => `filter ${n}`),
        ...names.encoders.filter((n) => !has.encoders.has(n)).map((n) => `encoder ${n}`),
      ]
      if (lacking.length === 0) return
      throw new AppError(
        'missing_program',
        `This build of ffmpeg has no ${lacking.join(', no ')}; install a full build`,
      )
    },
    version: () => versionOf(ffmpeg),
  }
}

/** The first line of `-version`, e.g. `5.1.9-0+deb12u1`; undefined when the program cannot be started. */
export async function versionOf(file: string): Promise<string | undefined> {
  try {
    const { stdout } = await exec(file, ['-version'], { timeoutMs: 5_000 })
    return stdout.match(/version (\S+)/)?.[1]
  } catch (error) {
    if (error instanceof AppError) return undefined // missing or broken: both mean that it cannot be used
    throw error
  }
}

function shared(work: Work) {
  return { cwd: work.folder, signal: work.signal, nice: work.nice }
}

async function readCapabilities(ffmpeg: string, work: Work): Promise<Capabilities> {
  const ask = async (flag: string) => {
    const result = await hinted('ffmpeg', exec(ffmpeg, ['-hide_banner', flag], { ...shared(work), timeoutMs: 10_000 }))
    return parseNames(result.stdout)
  }
  const [filters, encoders] = await Promise.all([ask('-filters'), ask('-encoders')])
  return { filters, encoders }
}

/** Names are the second word of each line of `-filters` and `-encoders`, after a column of flags. */
export function parseNames(text: string): Set<string> {
  return new Set([...text.matchAll(/^ [A-Z.|]+ +([A-Za-z0-9_]+) /gm)].map((match) => match[1]!))
}

/** A missing program is reported with the command that installs it here. */
async function hinted<T>(program: string, running: Promise<T>): Promise<T> {
  try {
    return await running
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'missing_program') throw error
    const hint = installHint(program, await readPlatform())
    throw new AppError('missing_program', `${program} is not installed: ${hint}`, { cause: error, details: { hint } })
  }
}
