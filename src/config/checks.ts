/** What no single row can know: settings that must fit together, or fit this machine. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Problem, Resolved } from './resolve.ts'
import type { SettingName } from './table.ts'

export type Limits = { softS: number; hardS: number; problems: Problem[]; notes: string[] }

/** Soft to hard as in the defaults (600 to 900), for when only one of them is set. */
const SOFT_SHARE = 2 / 3

/** The soft limit lies below the hard one; where only one is given, the other follows it when it must. */
export function timeLimits({ values, origin }: Resolved): Limits {
  const [softS, hardS] = [values.SOFT_TIME_LIMIT_S, values.TIME_LIMIT_S]
  const [soft, hard] = [origin('SOFT_TIME_LIMIT_S'), origin('TIME_LIMIT_S')]
  if (softS < hardS) return { softS, hardS, problems: [], notes: [] }
  if (soft && hard) {
    const expected = `less than ${hard.name}=${hardS} (${hard.from})`
    return { softS, hardS, problems: [{ name: soft.name, seen: soft.value, from: soft.from, expected }], notes: [] }
  }
  if (hard) {
    const follows = Math.max(1, Math.floor(hardS * SOFT_SHARE))
    return { softS: follows, hardS, problems: [], notes: [`SOFT_TIME_LIMIT_S follows ${hard.name}: ${follows}`] }
  }
  const follows = Math.ceil(softS / SOFT_SHARE)
  return { softS, hardS: follows, problems: [], notes: [`TIME_LIMIT_S follows ${soft?.name}: ${follows}`] }
}

export type TokenFacts = { storedToken: string | null; newToken: boolean }

/** Who listens where others can connect needs a token, and no two people may share one. */
export function tokenProblems({ values, origin }: Resolved, { storedToken, newToken }: TokenFacts): Problem[] {
  const problems: Problem[] = []
  const hasToken = values.API_TOKEN !== null || values.API_TOKENS !== null || storedToken !== null
  const problem = (name: SettingName, expected: string, seen = '***') =>
    problems.push({ name, seen, from: origin(name)?.from ?? 'default', expected })
  if (!isLoopback(values.HOST) && !hasToken && !newToken)
    problem(
      'HOST',
      'a loopback address such as 127.0.0.1, or a token (API_TOKEN, or the flag --new-token)',
      values.HOST,
    )
  if (newToken && values.API_TOKEN !== null) problem('API_TOKEN', 'not to be set together with --new-token')
  const operator = values.API_TOKEN ?? storedToken
  if (operator !== null && values.API_TOKENS?.some((user) => user.token === operator))
    problem('API_TOKENS', "no user to have the operator's token")
  return problems
}

/** Addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

export function folderProblems({ values, origin }: Resolved, cwd: string): Problem[] {
  return (['PIPELINES_DIR', 'FONT_DIR'] as const).flatMap((name) => {
    const value = values[name]
    if (value === null || existsSync(resolve(cwd, value))) return []
    return [{ name, seen: value, from: origin(name)?.from ?? 'default', expected: 'an existing folder' }]
  })
}
