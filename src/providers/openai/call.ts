/** What a call to a configured server is: settings, limits, and what every kind of call has in common. */
import type OpenAI from 'openai'
import type { Usage, UsageRecord } from '../provider.ts'

/** The settings `OPENAI_*` and `*_MODEL`. */
export type OpenAiSettings = {
  apiKey: string | null
  baseUrl: string | null
  textModel: string | null
  imageModel: string | null
  speechModel: string | null
  transcribeModel: string | null
}

export type CallLimits = {
  /** Until the first piece of an answer: a local model may have to be loaded first. */
  firstByteMs: number
  /** Between two pieces of a stream. */
  idleMs: number
  /** For an answer that comes in one piece. */
  wholeMs: number
}

export const CALL_LIMITS: CallLimits = { firstByteMs: 290_000, idleMs: 90_000, wholeMs: 290_000 }

/** Which of the models a call is for. */
export type Kind = UsageRecord['kind']

/** A call: what is asked of whom under which key. `body` is what the server gets; it becomes part of the key. */
export type Call<T> = {
  kind: Kind
  model: string
  requestKey: string
  body: unknown
  signal: AbortSignal
  send(client: OpenAI, options: { headers: Record<string, string> }): Promise<T>
  /** What the answer cost; also tells what the server calls itself and the call. */
  account(answer: T): Account
  /** The same for what had come when the call failed. */
  accountFailed?(): Account | null
}

export type Account = {
  usage: Usage
  source: 'reported' | 'estimated'
  served: string | null
  requestId: string | null
}
