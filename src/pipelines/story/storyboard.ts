/** Stage 2: the shots, each with what is seen, what is said, and how long it lasts. */
import { openStoryEditor } from '../../providers/builtin/story-editor.ts'
import type { TextModel } from '../../providers/provider.ts'
import type { StageContext } from '../define.ts'
import { openWork } from '../film/work.ts'
import { type StoryboardAnswer, storyboardShape } from './answers.ts'
import { type Asked, askJson } from './ask.ts'
import { chunksOf } from './chunks.ts'
import { builtinCredit, modelCredit } from './credits.ts'
import { readInput, textToFilm, wantedShots } from './input.ts'
import { emitList } from './list-text.ts'
import { storyboardPrompt } from './prompts.ts'
import type { StoryboardResult } from './results.ts'
import { SHOTS_DEFAULT, SHOTS_MAX, settleShots } from './shots.ts'

export async function storyboard(context: StageContext): Promise<StoryboardResult> {
  const input = readInput(context)
  const wanted = wantedShots(context, input)
  const wish = { shots: wanted ?? SHOTS_DEFAULT, exact: wanted !== null }
  const brief = { text: textToFilm(context, input), style: input.style ?? null, ...wish }
  const model = context.providers.text
  const result = model ? await byModel(context, model, brief) : await byEditor(context, brief)
  await context.artifacts.put('storyboard.json', { data: `${JSON.stringify(result, null, 2)}\n` }, 'application/json')
  return result
}

type Brief = { text: string; style: string | null; shots: number; exact: boolean }

/** Each part of a long text gets its share of the shots, and at least one. */
async function byModel(context: StageContext, model: TextModel, brief: Brief): Promise<StoryboardResult> {
  const parts = chunksOf(brief.text)
  const answers: Asked<StoryboardAnswer>[] = []
  for (const [index, text] of parts.entries()) {
    const shots = Math.max(1, Math.round((brief.shots * text.length) / brief.text.length))
    const prompt = storyboardPrompt({ ...brief, text, shots, part: index + 1, parts: parts.length })
    const question = { step: `part-${index + 1}`, prompt, shape: storyboardShape() }
    answers.push(await askJson(context, model, question))
    context.emit({ progress: (100 * (index + 1)) / parts.length, message: `part ${index + 1} of ${parts.length}` })
  }
  const made = answers.flatMap((answer) => answer.value.shots)
  const by = modelCredit(model, answers)
  const degraded = [...by.degraded, ...otherNumber(made.length, brief)]
  context.credit({ degraded })
  return { ...by, degraded, shots: settleShots(made.slice(0, SHOTS_MAX)), method: 'model' }
}

function otherNumber(made: number, { shots, exact }: Brief): string[] {
  if (made > SHOTS_MAX) return [`the model made ${made} shots; the first ${SHOTS_MAX} are used`]
  return exact && made !== shots ? [`the model made ${made} shots, not ${shots}`] : []
}

/** What is said are the text's own lines; what is seen is what they speak of. */
async function byEditor(context: StageContext, { text, shots, exact }: Brief): Promise<StoryboardResult> {
  const work = await openWork(context)
  const board = await context.step('board', async () => {
    await using editor = openStoryEditor(work)
    return await editor.board({ text, shots, exact })
  })
  const settled = settleShots(board.shots)
  emitList(context, 'shots', settled)
  const degraded = ['shots are cut from the text by rule, without a model']
  if (board.left_out > 0) degraded.push(`${board.left_out} sentences are in no shot`)
  if (exact && settled.length < shots) degraded.push(`the text is enough for ${settled.length} shots, not ${shots}`)
  return { ...builtinCredit(context, degraded), shots: settled, method: 'extractive' }
}
