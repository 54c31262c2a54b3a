/** What every call of one configured server shares: the client, the ledger of paid calls and the record of usage. */
import type OpenAI from 'openai'
import { AppError } from '../../lib/errors.ts'
import { canonicalJson, sha256 } from '../../lib/ids.ts'
import { classifyError } from '../classify.ts'
import { type Called, ownFailure, providerError } from '../errors.ts'
import { PRICES_DATE } from '../prices.ts'
import type { CallLedger, UsageRecord } from '../provider.ts'
import { NO_USAGE } from '../usage.ts'
import { type Account, CALL_LIMITS, type Call, type CallLimits, type Kind, type OpenAiSettings } from './call.ts'
import { createClient } from './client.ts'
import { baseUrlOf, type Dialect, dialectOf, providerName } from './dialect.ts'

export type SessionOptions = {
  settings: OpenAiSettings
  record: (call: UsageRecord) => void
  ledger?: CallLedger
  limits?: CallLimits
}

export type Session = {
  readonly dialect: Dialect
  readonly provider: string
  readonly limits: CallLimits
  called(kind: Kind, model: string): Called
  /** The stored answer of this very call, or a new one, stored before it is given. Throws AppErrors with a class. */
  call<T>(call: Call<T>): Promise<T>
  /** Forgets an answer that proved useless, so that another attempt asks again. */
  forget(call: Pick<Call<unknown>, 'requestKey' | 'body'>): Promise<void>
}

const SETTINGS: Record<Kind, string> = {
  text: 'TEXT_MODEL',
  image: 'IMAGE_MODEL',
  speech: 'SPEECH_MODEL',
  transcription: 'TRANSCRIBE_MODEL',
}

export function openSession(options: SessionOptions): Session {
  const { settings, ledger } = options
  const baseUrl = baseUrlOf(settings.baseUrl)
  const dialect = dialectOf(baseUrl)
  const provider = providerName(dialect)
  const limits = options.limits ?? CALL_LIMITS
  let client: Promise<OpenAI> | undefined
  const called = (kind: Kind, model: string): Called => ({
    provider,
    model,
    setting: SETTINGS[kind],
    where: new URL(baseUrl).host,
    secret: settings.apiKey,
  })
  const forget = async (call: Pick<Call<unknown>, 'requestKey' | 'body'>) => ledger?.forget?.(keyOf(call))
  return {
    dialect,
    provider,
    limits,
    called,
    forget,
    async call(call) {
      call.signal.throwIfAborted()
      const key = keyOf(call)
      const stored = await ledger?.before(key, { provider, model: call.model, kind: call.kind })
      const known = stored ? parseStored<Awaited<ReturnType<typeof call.send>>>(stored.raw) : undefined
      if (known !== undefined) return known
      client ??= createClient(settings, { baseUrl, dialect, limits })
      const note = noteOf(options, { key, provider, call })
      const answer = await send(await client, { call, key, called: called(call.kind, call.model) }).catch(
        async (error) => {
          note(call.accountFailed?.() ?? null, error)
          await ledger?.refused(key).catch(() => {}) // the failure of the call is the one to report
          throw error
        },
      )
      note(call.account(answer), null)
      await ledger?.after(key, JSON.stringify(answer))
      return answer
    },
  }
}

/** Throws the signal's reason when it was we who ended the call. */
async function send<T>(client: OpenAI, parts: { call: Call<T>; key: string; called: Called }): Promise<T> {
  const { call, key, called } = parts
  try {
    return await call.send(client, { headers: { 'X-Client-Request-Id': key } })
  } catch (error) {
    call.signal.throwIfAborted()
    // The client calls its own end of a call an abort, too, whoever wanted it.
    if (classifyError(error).class === 'cancelled') throw ownFailure('transient', 'no whole answer in time', called)
    throw providerError(error, called)
  }
}

/** The same work with other words is another call, so a changed text never gets the answer to the old one. */
function keyOf({ requestKey, body }: Pick<Call<unknown>, 'requestKey' | 'body'>): string {
  return `${requestKey}:${sha256(canonicalJson(body)).slice(0, 16)}`
}

/** Damage on the disk costs one more call, not the project. */
function parseStored<T>(raw: string): T | undefined {
  try {
    return JSON.parse(raw) as T
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

type Noted = { key: string; provider: string; call: Pick<Call<any>, 'kind' | 'model'> }

/** Failed calls are rows too: servers may charge for them. */
function noteOf({ record }: SessionOptions, { key, provider, call }: Noted) {
  return (account: Account | null, error: unknown) => {
    const facts = error instanceof AppError ? error.details : undefined
    record({
      at: new Date().toISOString(),
      provider,
      kind: call.kind,
      model: call.model,
      served: account?.served ?? null,
      request_key: key,
      request_id: account?.requestId ?? (facts?.request_id as string | null | undefined) ?? null,
      usage: account?.usage ?? NO_USAGE,
      usage_source: account?.source ?? 'estimated',
      prices: PRICES_DATE,
      failure: error === null ? null : ((facts?.class as string | undefined) ?? 'cancelled'),
    })
  }
}
