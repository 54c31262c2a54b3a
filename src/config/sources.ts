/** Where settings are read: flags, then the environment, then `.env.local`, then `.env`, each value with its origin. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { AppError, errnoOf, messageOf } from '../lib/errors.ts'

/** `from` is what a person can act on, e.g. `flag --port`, `environment`, `.env:12`. */
export type Found = { name: string; value: string; from: string }

export type Lookup = {
  /** The value that wins; an empty one means: not set, whatever lower sources say. */
  find(name: string): Found | undefined
  /** Every value given for `name`, the winner first. */
  findAll(name: string): Found[]
  names(): string[]
}

export type LookupInput = { flags: Record<string, Found>; env: NodeJS.ProcessEnv; cwd: string }

export function createLookup({ flags, env, cwd }: LookupInput): Lookup {
  const layers = [flags, fromEnvironment(env), fromFile(cwd, '.env.local'), fromFile(cwd, '.env')]
  const findAll = (name: string) => layers.flatMap((layer) => layer[name] ?? [])
  return {
    findAll,
    find: (name) => findAll(name).find((found, index) => index === 0 && found.value !== ''),
    names: () => [...new Set(layers.flatMap((layer) => Object.keys(layer)))],
  }
}

function fromEnvironment(env: NodeJS.ProcessEnv): Record<string, Found> {
  const entries = Object.entries(env).map(([name, value = '']) => [name, { name, value, from: 'environment' }])
  return Object.fromEntries(entries)
}

function fromFile(cwd: string, file: string): Record<string, Found> {
  const content = readOptional(join(cwd, file))
  const entries = Object.entries(parseEnv(content)).map(([name, value = '']) => {
    return [name, { name, value, from: `${file}:${lineOf(content, name)}` }]
  })
  return Object.fromEntries(entries)
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw new AppError('settings', `${path} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

/** The last line that sets `name`, for it is the one that counts. */
function lineOf(content: string, name: string): number {
  const sets = new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`)
  return content.split('\n').findLastIndex((line) => sets.test(line)) + 1
}
