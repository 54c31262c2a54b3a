/** Who made a result: said to the runner and in the result itself. */
import type { TextModel } from '../../providers/provider.ts'
import type { StageContext } from '../define.ts'
import type { Asked } from './ask.ts'
import type { MadeBy } from './results.ts'

export function builtinCredit(context: StageContext, degraded: string[]): MadeBy {
  const by = { provider: 'builtin', model: null, degraded }
  context.credit(by)
  return by
}

/** Each call was credited when it was answered; this is for the result. */
export function modelCredit({ provider, model }: TextModel, answers: readonly Asked<unknown>[]): MadeBy {
  return { provider, model, degraded: [...new Set(answers.flatMap((answer) => answer.degraded))] }
}

/** A wish that only a model can fulfil is not silently forgotten. */
export function unusedStyle(style: string | undefined): string[] {
  return style === undefined ? [] : ['the style is not applied: that needs a model']
}
