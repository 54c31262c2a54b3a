/** What a pipeline is: plain objects, so that a file of one's own needs no import from Showrunner. */
import type { Log } from '../lib/log.ts'
import type { Providers } from '../providers/pick.ts'
import type { Provenance, Usage } from '../providers/provider.ts'

/** Streamed text, counted progress, or a percentage with a message. */
export type Emission =
  | string
  | { current: number; total: number; item_name?: string }
  | { progress: number; message?: string }

export type ArtifactRef = { name: string; stage: string; mime: string; bytes: number; sha256: string }

/** The files of a project, as a stage sees them. */
export type StageArtifacts = {
  /** A path in the attempt's private work folder, for a program to write to. Gone after the attempt. */
  workPath(name: string): string
  /** Hashes, flushes and commits a finished work file (moved) or data under `name`; replaces an earlier one. */
  put(name: string, source: { path: string } | { data: string | Uint8Array }, mime: string): Promise<ArtifactRef>
  /** The absolute path of a committed artifact. Throws `artifact_missing`. */
  path(name: string): string
  list(): ArtifactRef[]
}

/** Files that `publish` lays under their plain names into the project's folder of `published/`. */
export type Publication = { name: string; artifact: string } | { name: string; data: string }

export type StageContext<Input = any> = {
  readonly project: { id: string; title: string; owner: string; pipeline: string; createdAt: string }
  readonly stage: string
  readonly input: Input
  /** Results of the stages before, by name. */
  readonly results: Record<string, any>
  /** Counts starts, those after a crash included. */
  readonly attempt: number
  /** Aborts on cancel, soft limit, lost ownership, and near the end of a drain. */
  readonly signal: AbortSignal
  readonly log: Log
  readonly providers: Providers
  readonly artifacts: StageArtifacts
  /** Priority of this queue's subprocesses, 0–19 as nice(1). */
  readonly nice: number
  /**
   * Runs `fn` once and remembers its JSON value across crashes; artifacts put inside belong to it, and so does text that
   * is emitted inside: when `fn` does not run again, it is emitted again as a whole.
   */
  step<T>(name: string, fn: () => Promise<T> | T): Promise<T>
  /** The same as `yield`, for places that cannot yield, e.g. inside parallel steps. */
  emit(value: Emission): void
  /** Says who made this stage's output; shown in the state and on every page. */
  credit(by: Partial<Provenance> & { usage?: Usage }): void
  /** Replaces `published/<id>/` by these files, after a commit, and only while this attempt still owns the stage. */
  publish(files: Publication[]): Promise<{ folder: string }>
}

export type StageRun<Input = any> = (
  context: StageContext<Input>,
) => Promise<unknown> | AsyncGenerator<Emission, unknown, void> | unknown

export type StageDefinition<Input = any> = {
  name: string
  queue: string
  /** Bump it when the code changes in a way that makes remembered steps wrong. */
  version?: number
  softTimeLimitS?: number
  timeLimitS?: number
  /** Programs without which the stage cannot run, e.g. `ffmpeg`; checked before a project is accepted. */
  needs?: readonly string[]
  run: StageRun<Input>
}

/** A Zod schema fits; anything with `parse` that returns the value or throws does too. */
export type InputSchema<Input = any> = { parse(value: unknown): Input }

export type PipelineDefinition<Input = any> = {
  name: string
  description?: string
  /** A function loads the schema when it is first needed, so that workers need not. */
  input: InputSchema<Input> | (() => Promise<InputSchema<Input>>)
  /** A line to call the project by when the caller gives no title. */
  titleOf?: (input: Input) => string
  examples?: unknown[]
  stages: StageDefinition<Input>[]
}

export async function inputSchemaOf<Input>({ input }: PipelineDefinition<Input>): Promise<InputSchema<Input>> {
  return 'parse' in input ? input : input()
}

/** Only adds types. */
export function definePipeline<Input>(pipeline: PipelineDefinition<Input>): PipelineDefinition<Input> {
  return pipeline
}
