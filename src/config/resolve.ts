/** Reads every row of the table from its sources and gathers all problems instead of stopping at the first. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { AppError, messageOf } from '../lib/errors.ts'
import { findMapped } from './celery.ts'
import type { Found, Lookup } from './sources.ts'
import { SETTING_NAMES, SETTINGS, type SettingName, type Values } from './table.ts'

/** `seen` is already safe to print. */
export type Problem = { name: string; seen: string; from: string; expected: string }

export type Resolved = {
  values: Values
  problems: Problem[]
  /** Where a value came from, or undefined when it is the default. */
  origin(name: SettingName): Found | undefined
}

/** Values with a problem are filled by the default, so that later checks can still run and report theirs. */
export function resolveSettings(lookup: Lookup, cwd: string): Resolved {
  const problems: Problem[] = []
  const origins = new Map<SettingName, Found>()
  const values: Record<string, unknown> = {}
  for (const name of SETTING_NAMES) {
    const found = lookup.find(name) ?? findInFile({ lookup, name, cwd, problems }) ?? findMapped(lookup, name)
    if (found) origins.set(name, found)
    values[name] = readValue(name, found, problems)
  }
  return { values: values as Values, problems: distinct(problems), origin: (name) => origins.get(name) }
}

/** An older name may stand for several settings: what is wrong with it is one problem. */
function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]
}

/** All problems as one error, one line each. */
export function settingsError(problems: readonly Problem[]): AppError {
  const lines = problems.map(({ name, seen, from, expected }) => `  ${name}=${seen} (${from}): expected ${expected}`)
  const title = problems.length === 1 ? 'A setting is not valid' : `${problems.length} settings are not valid`
  return new AppError('settings', [`${title}:`, ...lines].join('\n'), { details: { problems } })
}

/** A value as it may be printed: secrets hidden, of an address only the password. */
export function masked(name: SettingName, value: string): string {
  if (ADDRESSES.has(name)) return value.replace(/^(\w+:\/\/)?.*@/s, '$1***@')
  return SETTINGS[name].secret ? '***' : value
}

const ADDRESSES: ReadonlySet<SettingName> = new Set(['REDIS_URL', 'OPENAI_BASE_URL'])

function readValue(name: SettingName, found: Found | undefined, problems: Problem[]): unknown {
  const { schema, default: fallback, expected } = SETTINGS[name]
  const standard = fallback === null ? null : schema.parse(fallback)
  if (!found) return standard
  const parsed = schema.safeParse(found.value)
  if (parsed.success) return parsed.data
  // Only our own grammars word their issues; the others would repeat `expected`.
  const why = parsed.error.issues[0]?.code === 'custom' ? `; ${parsed.error.issues[0].message}` : ''
  problems.push({ name: found.name, seen: masked(name, found.value), from: found.from, expected: expected + why })
  return standard
}

type FileSearch = { lookup: Lookup; name: SettingName; cwd: string; problems: Problem[] }

/** `API_TOKEN_FILE=/run/secrets/token`: the value is the file's text, so that a secret need not be in the environment. */
function findInFile({ lookup, name, cwd, problems }: FileSearch): Found | undefined {
  const pointer = SETTINGS[name].secret ? lookup.find(`${name}_FILE`) : undefined
  if (!pointer) return undefined
  try {
    const value = readFileSync(resolve(cwd, pointer.value), 'utf8').trim()
    return { name, value, from: `${pointer.name}, ${pointer.from}` }
  } catch (error) {
    const expected = `a readable file; ${messageOf(error)}`
    problems.push({ name: pointer.name, seen: pointer.value, from: pointer.from, expected })
    return undefined
  }
}
