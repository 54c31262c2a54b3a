/** One validated JSON value from a chat model: the best mode that its server knows, and one chance to repair. */
import { AppError, messageOf } from '../../lib/errors.ts'
import { ownFailure } from '../errors.ts'
import type { JsonRequest, TextAnswer } from '../provider.ts'
import { sumUsage } from '../usage.ts'
import { type Asked, ask } from './chat.ts'
import type { JsonMode } from './dialect.ts'
import { extractJson } from './json-text.ts'
import type { Session } from './session.ts'

const MODES: readonly JsonMode[] = ['json_schema', 'json_object', 'plain']
const REASON_MAX = 2_000

export type JsonAsker = <T>(request: JsonRequest<T>) => Promise<TextAnswer & { value: T }>

export function createJsonAsker(session: Session, model: string): JsonAsker {
  /** What this server turned out not to know is not tried again. */
  let first = 0

  async function askIn<T>(request: JsonRequest<T>): Promise<Asked> {
    for (let index = first; ; index++) {
      const mode = MODES[index]!
      try {
        const json = { mode, name: request.name, jsonSchema: request.jsonSchema }
        const asked = { ...request, system: systemFor(mode, request) }
        return await ask(session, { model, request: asked, json, onText: request.onText ?? (() => {}) })
      } catch (error) {
        if (index === MODES.length - 1 || !isFormatRefusal(error)) throw error
        first = Math.max(first, index + 1)
      }
    }
  }

  async function askTwice<T>(request: JsonRequest<T>): Promise<TextAnswer & { value: T }> {
    const asked = await askIn(request)
    const read = readValue(asked.answer, request)
    if ('value' in read) return { ...asked.answer, value: read.value }
    if (asked.answer.finish === 'length') throw await useless([asked], read.problem)
    request.onText?.('\n\n')
    const again = await askIn({ ...request, user: repairPrompt(request, asked.answer.text, read.problem) })
    const second = readValue(again.answer, request)
    if (!('value' in second)) throw await useless([asked, again], second.problem)
    const usage = sumUsage([asked.answer.usage, again.answer.usage])
    return { ...again.answer, usage, value: second.value }
  }

  /** Forgotten, so that a resumed stage asks anew instead of finding the same answer. */
  async function useless(answers: Asked[], problem: string): Promise<AppError> {
    for (const { forget } of answers) await forget()
    const { requestId } = answers.at(-1)!.answer
    return ownFailure('invalid_output', problem, { ...session.called('text', model), requestId })
  }

  return askTwice
}

function readValue<T>(answer: TextAnswer, { schema }: JsonRequest<T>): { value: T } | { problem: string } {
  if (answer.finish === 'length') return { problem: 'the JSON was cut off at the length limit of the model' }
  try {
    return { value: schema.parse(extractJson(answer.text)) }
  } catch (error) {
    // Whatever a schema throws says what is wrong with the value.
    return { problem: `the JSON does not fit: ${messageOf(error).slice(0, REASON_MAX)}` }
  }
}

/** A server that knows `json_schema` needs no words about it; the others are told the schema. */
function systemFor<T>(mode: JsonMode, { system, jsonSchema }: JsonRequest<T>): string {
  if (mode === 'json_schema') return system
  return `${system}\n\nAnswer with one JSON value and nothing else, without a code fence. Its JSON Schema:\n${JSON.stringify(jsonSchema)}`
}

function repairPrompt<T>(request: JsonRequest<T>, answer: string, problem: string): string {
  return `${request.user}\n\nYour last answer was:\n${answer}\n\nIt is not usable: ${problem}\nGive the corrected JSON value, whole.`
}

/** True when it is the format, not the question, that the server refuses. */
function isFormatRefusal(error: unknown): boolean {
  if (!(error instanceof AppError)) return false
  const status = (error.cause as { status?: unknown } | undefined)?.status
  if (status !== 400 && status !== 404 && status !== 422) return false
  return /response_format|json_schema|json_object|structured output|\bschema\b/i.test(error.message)
}
