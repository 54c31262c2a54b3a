/** A chat model behind the contract that pipelines know. */
import type { TextModel } from '../provider.ts'
import { ask } from './chat.ts'
import { createJsonAsker } from './json.ts'
import { pushStream } from './push-stream.ts'
import type { Session } from './session.ts'

export function createTextModel(session: Session, model: string): TextModel {
  return {
    provider: session.provider,
    model,
    stream: (request) =>
      pushStream(async (onText, signal) => {
        const { answer } = await ask(session, { model, request: { ...request, signal }, onText })
        return answer
      }, request.signal),
    json: createJsonAsker(session, model),
  }
}
