/** What a stage works on: from its own input what is there, else what earlier stages have left, else a clear error. */
import type { z } from 'zod'
import { AppError } from '../../lib/errors.ts'
import type { StageContext } from '../define.ts'
import type { StoryResults } from './results.ts'
import { type GivenShot, type StageInput, stageInput } from './schema.ts'
import { type StoryShot, settleShots } from './shots.ts'

/** Throws `invalid_value` with every problem of the stage's input. */
export function readInput(context: StageContext): StageInput {
  const parsed = stageInput.safeParse(context.input)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.flatMap((issue) => worded(issue))
  throw new AppError('invalid_value', `The input of ${context.stage} is not valid: ${problems.join('; ')}`, {
    cause: parsed.error,
  })
}

export function resultsOf(context: StageContext): StoryResults {
  return context.results as StoryResults
}

export function originalText(context: StageContext, input: StageInput): string {
  return input.original_text ?? missing(context, 'original_text (the story)')
}

/** The text to film: one of the stage's own, else the rewritten one, else the original. */
export function textToFilm(context: StageContext, input: StageInput): string {
  return (
    input.text ??
    resultsOf(context).rewrite?.text ??
    input.original_text ??
    missing(context, 'text (the story), or a rewrite before it')
  )
}

/** The wanted number of shots, or null when nobody asked for one. */
export function wantedShots(context: StageContext, { shots }: StageInput): number | null {
  if (!Array.isArray(shots)) return shots ?? null
  throw new AppError('invalid_value', `The input of ${context.stage} is not valid: shots must be a number here`)
}

/** The stage's own list of shots, else the storyboard's. A number is the pipeline's wish, already used by then. */
export function shotsOf(context: StageContext, { shots }: StageInput): StoryShot[] {
  if (Array.isArray(shots)) return settleShots(shots)
  return resultsOf(context).storyboard?.shots ?? missing(context, 'shots (a list), or a storyboard before it')
}

export function givenShots({ shots }: StageInput): GivenShot[] {
  return Array.isArray(shots) ? shots : []
}

function missing(context: StageContext, what: string): never {
  throw new AppError('invalid_value', `The input of ${context.stage} is not valid: it needs ${what}`)
}

type Issue = z.core.$ZodIssue

/** Of a choice, the problems of the branch that was meant: the one of the right type. */
function worded(issue: Issue, at: PropertyKey[] = []): string[] {
  const path = [...at, ...issue.path]
  const meant = issue.code === 'invalid_union' ? issue.errors.find((branch) => !isOtherType(branch)) : undefined
  if (meant) return meant.flatMap((inner) => worded(inner, path))
  return [path.length > 0 ? `${path.join('.')}: ${issue.message}` : issue.message]
}

function isOtherType(branch: readonly Issue[]): boolean {
  // 1.5 is a number, although not an `int`.
  return branch.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0 && issue.expected !== 'int')
}
