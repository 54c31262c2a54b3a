/** Calls to a chat model as remembered steps: streamed as they come, and again as a whole when they are remembered. */
import { canonicalJson, sha256 } from '../../lib/ids.ts'
import type { JsonShape, TextAnswer, TextModel } from '../../providers/provider.ts'
import type { StageContext } from '../define.ts'
import type { Prompt } from './prompts.ts'

/** `step` names the call within its stage, e.g. `part-1`. */
export type Question = { step: string; prompt: Prompt }

export type Asked<T> = { value: T; degraded: string[] }

/** Streams a text and returns the whole of it. Credits the model with what the call cost. */
export function askText(context: StageContext, model: TextModel, question: Question): Promise<Asked<string>> {
  return remembered(context, { model, step: question.step }, async () => {
    const answer = await readAll(model.stream(requestOf(context, model, question)), context)
    return { ...answer, value: answer.text }
  })
}

/** Streams the text of a JSON answer and returns its value. */
export function askJson<T>(
  context: StageContext,
  model: TextModel,
  { shape, ...question }: Question & { shape: JsonShape<T> },
): Promise<Asked<T>> {
  const onText = (delta: string) => context.emit(delta)
  return remembered(context, { model, step: question.step }, () =>
    model.json({ ...requestOf(context, model, question), ...shape, onText }),
  )
}

async function remembered<T>(
  context: StageContext,
  { model: { provider }, step }: { model: TextModel; step: string },
  call: () => Promise<TextAnswer & { value: T }>,
): Promise<Asked<T>> {
  const answer = await context.step(step, async () => {
    const { text, ...rest } = await call() // the step remembers the text that was emitted in it
    return rest
  })
  const { model, degraded, usage, value } = answer
  context.credit({ provider, model, degraded, usage })
  return { value, degraded }
}

/** The key is the same in every attempt, so that an answer that was paid for is never bought twice. */
function requestOf({ project, stage, signal }: StageContext, { model }: TextModel, { step, prompt }: Question) {
  return {
    ...prompt,
    signal,
    requestKey: sha256(canonicalJson({ project: project.id, stage, step, model, ...prompt })),
  }
}

async function readAll(stream: AsyncGenerator<string, TextAnswer, void>, context: StageContext): Promise<TextAnswer> {
  for (;;) {
    const { done, value } = await stream.next()
    if (done) return value
    context.emit(value)
  }
}
