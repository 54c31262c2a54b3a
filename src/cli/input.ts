/** The input of a project from a file, standard input and `--set`. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { AppError, messageOf } from '../lib/errors.ts'

export type InputRequest = { pipeline: string; file?: string; set: readonly string[] }

/** For `video` the file is the text itself (unless it is JSON by name); for other pipelines it is a JSON object. */
export async function readInput({ pipeline, file, set }: InputRequest): Promise<Record<string, unknown>> {
  const fromFile = file === undefined ? {} : parseInput(await readSource(file), { pipeline, file })
  return { ...fromFile, ...Object.fromEntries(set.map(parsePair)) }
}

async function readSource(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')
  } catch (error) {
    throw new AppError('invalid_value', `${file} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

function parseInput(content: string, { pipeline, file }: { pipeline: string; file: string }): Record<string, unknown> {
  if (pipeline === 'video' && !file.endsWith('.json')) return { text: content }
  const value = parseJson(content)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new AppError('invalid_value', `${file} must hold a JSON object, the input of the pipeline ${pipeline}`)
}

/** `key=value`; a value that is JSON is taken as such, anything else as text. */
function parsePair(pair: string): [string, unknown] {
  const equals = pair.indexOf('=')
  if (equals < 1) throw new AppError('invalid_value', `--set ${pair}: expected key=value`)
  const value = pair.slice(equals + 1)
  return [pair.slice(0, equals), parseJson(value) ?? value]
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined // not JSON, which the callers expect
  }
}
