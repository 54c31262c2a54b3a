/** What stages did to the world outside, in their own words: the only witness that does not go through the journal. */
import { appendFileSync, readFileSync } from 'node:fs'
import { errnoOf } from '../lib/errors.ts'

/** One line of the file. Without a step it stands for something that must happen once, whatever befalls the stage. */
export type Effect = { project: string; stage: string; step: string | null; attempt: number } & Partial<Witness>

/** Who wrote it, and when by the wall clock; a user's stage need not say. */
export type Witness = { pid: number; atMs: number }

/** One small write on an append-only descriptor: whole or not at all, also when the process is killed. */
export function noteEffect(path: string, effect: Effect): void {
  const witness: Witness = { pid: process.pid, atMs: Date.now() }
  appendFileSync(path, `${JSON.stringify({ ...effect, ...witness })}\n`)
}

export function readEffects(path: string): Effect[] {
  return readText(path)
    .split('\n')
    .flatMap((line) => parseEffect(line) ?? [])
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '' // no stage has written any
    throw error
  }
}

function parseEffect(line: string): Effect | undefined {
  if (line === '') return undefined
  try {
    const { project, stage, step = null, attempt = 1, ...witness } = JSON.parse(line) as Partial<Effect>
    return project === undefined || stage === undefined ? undefined : { project, stage, step, attempt, ...witness }
  } catch {
    return undefined // not ours: a user's stage may write what it likes
  }
}
