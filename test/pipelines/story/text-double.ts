/** A chat model for tests: says what it is told to, piece by piece, and remembers what it was asked. */
import { AppError } from '../../../src/lib/errors.ts'
import type { TextAnswer, TextModel, TextRequest } from '../../../src/providers/provider.ts'

export type Asked = Pick<TextRequest, 'system' | 'user' | 'requestKey'>

/** `say` gives the whole answer to the nth question, or throws. */
export function createTextDouble(say: (asked: Asked, n: number) => string): TextModel & { asked: Asked[] } {
  const asked: Asked[] = []
  const reply = ({ system, user, requestKey }: TextRequest) => {
    asked.push({ system, user, requestKey })
    return say(asked.at(-1)!, asked.length)
  }
  return {
    provider: 'double',
    model: 'double-1',
    asked,
    async *stream(request) {
      const text = reply(request)
      yield* piecesOf(text)
      return answerOf(text)
    },
    async json(request) {
      const text = reply(request)
      for (const piece of piecesOf(text)) request.onText?.(piece)
      try {
        return { ...answerOf(text), value: request.schema.parse(JSON.parse(text)) }
      } catch (cause) {
        throw new AppError('invalid_output', 'the answer does not fit', { cause })
      }
    },
  }
}

function piecesOf(text: string): string[] {
  return text.match(/[\s\S]{1,7}/g) ?? []
}

function answerOf(text: string): TextAnswer {
  return {
    text,
    finish: 'stop',
    usage: { input_tokens: 10, output_tokens: text.length, cost_usd: 0.01 },
    usageSource: 'reported',
    model: 'double-1-dated',
    requestId: null,
    degraded: [],
  }
}
