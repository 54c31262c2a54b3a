/** Who a request comes from: tokens, the login cookie, and one-time login links. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

export type AuthSettings = {
  operatorToken: string | null
  users: { name: string; token: string }[]
  oneTime: OneTimeLogins
}

/** The operator sees and does everything; anybody else only what they own. */
export type Caller = { name: string; operator: boolean }

export type Credentials = {
  authorization: string | undefined
  cookie: string | undefined
  /** Only of a live connection: a one-time ticket, and what a WebSocket offers as its protocols. */
  ticket?: string
  protocols?: string
}

export type Authenticator = {
  /** False when no token is set: then everybody who reaches us is the operator, and nothing is looked at. */
  required: boolean
  identify(credentials: Credentials): Caller | undefined
}

export const COOKIE = 'showrunner_token'
export const OPERATOR: Caller = { name: 'operator', operator: true }
/** The protocol that a WebSocket offers, and is answered with, before a token: the token itself is never repeated. */
export const SUBPROTOCOL = 'showrunner'

export function createAuthenticator(
  settings: Pick<AuthSettings, 'operatorToken' | 'users'>,
  takeTicket: (ticket: string) => Caller | undefined = () => undefined,
): Authenticator {
  const known = settings.users.map((user) => ({
    hash: digest(user.token),
    caller: { name: user.name, operator: false },
  }))
  if (settings.operatorToken !== null) known.push({ hash: digest(settings.operatorToken), caller: OPERATOR })
  const required = known.length > 0
  return {
    required,
    identify(credentials) {
      const token = tokenOf(credentials)
      const caller = token === undefined ? undefined : find(known, digest(token))
      return caller ?? (credentials.ticket === undefined ? undefined : takeTicket(credentials.ticket))
    },
  }
}

export type OneTimeLogins = {
  /** A secret for a login link that stands for `token`, once, within ten minutes. */
  issue(token: string): string
  /** The token that the secret stood for, or undefined when it is unknown, used or too old. */
  take(secret: string): string | undefined
}

export function createOneTimeLogins(now: () => number = () => performance.now(), lifeMs = 600_000): OneTimeLogins {
  const issued = new Map<string, { token: string; untilMs: number }>()
  return {
    issue(token) {
      for (const [key, entry] of issued) if (entry.untilMs <= now()) issued.delete(key)
      const secret = randomBytes(24).toString('base64url')
      issued.set(digest(secret).toString('hex'), { token, untilMs: now() + lifeMs })
      return secret
    },
    take(secret) {
      const key = digest(secret).toString('hex')
      const entry = issued.get(key)
      issued.delete(key)
      return entry && entry.untilMs > now() ? entry.token : undefined
    },
  }
}

/** The header wins over the cookie, so that a script in a logged-in browser can act as somebody else. */
function tokenOf({ authorization, cookie, protocols }: Credentials): string | undefined {
  const bearer = authorization?.match(/^Bearer +(\S+) *$/i)?.[1]
  if (bearer !== undefined) return bearer
  for (const pair of cookie?.split(';') ?? []) {
    const [name, value] = pair.trim().split('=', 2)
    if (name === COOKIE && value) return decoded(value)
  }
  const [marker, token] = protocols?.split(',').map((offered) => offered.trim()) ?? []
  return marker === SUBPROTOCOL && token ? token : undefined
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value // not written by us: compared as it is, it matches no token
  }
}

/** Looks at every entry and compares hashes of equal length, so that the time tells nothing. */
function find(known: { hash: Buffer; caller: Caller }[], hash: Buffer): Caller | undefined {
  let found: Caller | undefined
  for (const entry of known) if (timingSafeEqual(entry.hash, hash)) found = entry.caller
  return found
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
