/** One chat completion: asked once, accounted, and judged. */
import { ownFailure } from '../errors.ts'
import { costOf } from '../prices.ts'
import type { TextAnswer, TextRequest } from '../provider.ts'
import { estimateTokens } from '../usage.ts'
import type { Account, Call } from './call.ts'
import { emptyAnswer, type RawAnswer, readChatStream } from './chat-stream.ts'
import { chatBody, type JsonWish } from './dialect.ts'
import type { Session } from './session.ts'

export type Asking = {
  model: string
  request: TextRequest
  json?: JsonWish
  onText: (delta: string) => void
}

/** A judged answer, and how to forget it. */
export type Asked = { answer: TextAnswer; forget: () => Promise<void> }

/** Throws AppErrors with a class; content that was refused is `rejected`, nothing at all is `invalid_output`. */
export async function ask(session: Session, asking: Asking): Promise<Asked> {
  const { model, request, onText } = asking
  const body = chatBody(session.dialect, { ...request, model, json: asking.json })
  const live = emptyAnswer()
  const account = (raw: RawAnswer) => accountOf(raw, { model, prompt: request.system + request.user })
  const call: Call<RawAnswer> = {
    kind: 'text',
    model,
    requestKey: request.requestKey,
    body,
    signal: request.signal,
    send: (client, { headers }) =>
      readChatStream({ client, body, headers, signal: request.signal, limits: session.limits, answer: live, onText }),
    account,
    accountFailed: () => (live.text === '' ? null : account(live)),
  }
  const raw = await session.call(call)
  // An answer that was stored by an earlier attempt comes in one piece.
  if (live.text === '' && raw.text !== '') onText(raw.text)
  const forget = () => session.forget(call)
  const problem = problemOf(raw)
  if (!problem) return { answer: answerOf(raw, { model, account: account(raw) }), forget }
  await forget()
  throw ownFailure(problem.kind, problem.message, { ...session.called('text', model), requestId: raw.requestId })
}

function problemOf(raw: RawAnswer): { kind: 'rejected' | 'invalid_output'; message: string } | null {
  if (raw.finish === 'content_filter') return { kind: 'rejected', message: 'the content filter stopped the answer' }
  if (raw.refusal !== '') return { kind: 'rejected', message: `the model refused: ${raw.refusal.slice(0, 300)}` }
  if (raw.text.trim() !== '') return null
  const why = raw.finish === 'length' ? ': its limit was used up before the first word' : ''
  return { kind: 'invalid_output', message: `the answer is empty${why}` }
}

function answerOf(raw: RawAnswer, { model, account }: { model: string; account: Account }): TextAnswer {
  return {
    text: raw.text,
    finish: raw.finish!,
    usage: account.usage,
    usageSource: account.source,
    model: raw.model ?? model,
    requestId: raw.requestId,
    degraded: raw.finish === 'length' ? ['the answer of the model was cut off at its length limit'] : [],
  }
}

/** What the server counted; when it did not, a guess from the texts. */
function accountOf(raw: RawAnswer, { model, prompt }: { model: string; prompt: string }): Account {
  const { usage } = raw
  const inputTokens = usage?.prompt_tokens ?? estimateTokens(prompt)
  const outputTokens = usage?.completion_tokens ?? estimateTokens(raw.text)
  const cachedTokens = usage?.prompt_tokens_details?.cached_tokens ?? 0
  return {
    usage: {
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      cost_usd: usage?.cost ?? costOf(model, { inputTokens, outputTokens, cachedTokens }),
    },
    source: usage ? 'reported' : 'estimated',
    served: raw.model,
    requestId: raw.requestId,
  }
}
