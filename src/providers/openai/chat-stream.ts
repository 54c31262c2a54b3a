/**
 * Reads one streamed chat completion to its end. The loop over a stream also ends when the server closes early or the
 * call is aborted, without any error; only a finish reason proves that an answer is whole.
 */
import type OpenAI from 'openai'
import type { ChatCompletionChunk } from 'openai/resources/chat/completions'
import type { CompletionUsage } from 'openai/resources/completions'
import { AppError } from '../../lib/errors.ts'
import type { CallLimits } from './call.ts'
import type { chatBody } from './dialect.ts'
import { watchCall } from './watchdog.ts'

/** OpenRouter adds what the call cost, in US dollars. */
export type RawUsage = CompletionUsage & { cost?: number }

/** All of an answer that counts, before anything is made of it. */
export type RawAnswer = {
  text: string
  refusal: string
  finish: string | null
  usage: RawUsage | null
  model: string | null
  requestId: string | null
}

export type Reading = {
  client: OpenAI
  body: ReturnType<typeof chatBody>
  headers: Record<string, string>
  signal: AbortSignal
  limits: CallLimits
  /** Filled as the answer comes, so that its cost is known even when the rest never comes. */
  answer: RawAnswer
  onText: (delta: string) => void
}

export function emptyAnswer(): RawAnswer {
  return { text: '', refusal: '', finish: null, usage: null, model: null, requestId: null }
}

/** Throws what the client throws, `timeout` after a silence, or `provider_failed` for an answer without an end. */
export async function readChatStream(reading: Reading): Promise<RawAnswer> {
  const { client, body, headers, answer } = reading
  using watchdog = watchCall(reading.signal, reading.limits)
  try {
    const { data, request_id } = await client.chat.completions
      .create(body, { headers, signal: watchdog.signal })
      .withResponse()
    answer.requestId = request_id ?? null
    for await (const chunk of data) {
      watchdog.alive()
      take(chunk, reading)
    }
    reading.signal.throwIfAborted()
    watchdog.throwIfLate()
  } catch (error) {
    // The answer is whole: what broke was only the end of the transport, or the count of tokens after it.
    if (!isWhole(answer)) throw lateOr(error, watchdog.throwIfLate)
  }
  if (isWhole(answer)) return answer
  throw new AppError('provider_failed', `the answer broke off after ${answer.text.length} characters`, {
    retryable: true,
  })
}

/** `error` as a finish reason is OpenRouter's way to say that the model's server failed midway. */
function isWhole(answer: RawAnswer): boolean {
  return answer.finish !== null && answer.finish !== 'error'
}

function lateOr(error: unknown, throwIfLate: () => void): unknown {
  try {
    throwIfLate()
  } catch (late) {
    return late
  }
  return error
}

function take(chunk: ChatCompletionChunk, { answer, onText }: Reading): void {
  const choice = chunk.choices?.[0]
  const delta = choice?.delta?.content ?? ''
  answer.model ??= chunk.model ?? null
  answer.finish = choice?.finish_reason ?? answer.finish
  answer.usage = chunk.usage ?? answer.usage
  answer.refusal += choice?.delta?.refusal ?? ''
  if (delta === '') return
  answer.text += delta
  onText(delta)
}
