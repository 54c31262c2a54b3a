/** Stage 3: one camera move for each shot, with how far it goes and how smoothly. */
import { openStoryEditor } from '../../providers/builtin/story-editor.ts'
import type { TextModel } from '../../providers/provider.ts'
import type { StageContext } from '../define.ts'
import { openWork } from '../film/work.ts'
import { type MovementAnswer, movementShape } from './answers.ts'
import { type Asked, askJson } from './ask.ts'
import { builtinCredit, modelCredit } from './credits.ts'
import { readInput, shotsOf } from './input.ts'
import { emitList } from './list-text.ts'
import { movementPrompt } from './prompts.ts'
import type { MovementResult } from './results.ts'
import { type StoryShot, settleMove } from './shots.ts'

/** So many shots are asked for in one prompt: longer lists lose items. */
const SHOTS_PER_PROMPT = 20

export async function moveCamera(context: StageContext): Promise<MovementResult> {
  const shots = shotsOf(context, readInput(context))
  const model = context.providers.text
  return model ? byModel(context, model, shots) : byRule(context, shots)
}

async function byModel(context: StageContext, model: TextModel, shots: StoryShot[]): Promise<MovementResult> {
  const answers: Asked<MovementAnswer>[] = []
  for (let from = 0; from < shots.length; from += SHOTS_PER_PROMPT) {
    const some = shots.slice(from, from + SHOTS_PER_PROMPT)
    const question = { step: `shots-${from + 1}`, prompt: movementPrompt(some), shape: movementShape(some) }
    answers.push(await askJson(context, model, question))
    context.emit({ current: from + some.length, total: shots.length })
  }
  const movements = shots.map(({ name }, index) => {
    const answer = answers[Math.floor(index / SHOTS_PER_PROMPT)]!.value
    return { shot: name, ...settleMove(answer.movements[name]!) }
  })
  return { ...modelCredit(model, answers), movements, method: 'model' }
}

async function byRule(context: StageContext, shots: StoryShot[]): Promise<MovementResult> {
  const work = await openWork(context)
  const moves = await context.step('moves', async () => {
    await using editor = openStoryEditor(work)
    return await editor.move(shots.map((shot) => shot.dialogue ?? shot.description))
  })
  const movements = shots.map((shot, index) => ({ shot: shot.name, ...moves[index]! }))
  emitList(context, 'movements', movements)
  const by = builtinCredit(context, ['camera moves are chosen by rule, without a model'])
  return { ...by, movements, method: 'rules' }
}
