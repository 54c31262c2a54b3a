/** Stage 1: the text, rewritten for a film by a model, or edited without one. */
import { openStoryEditor } from '../../providers/builtin/story-editor.ts'
import type { TextModel } from '../../providers/provider.ts'
import type { StageContext } from '../define.ts'
import { openWork } from '../film/work.ts'
import { type Asked, askText } from './ask.ts'
import { chunksOf } from './chunks.ts'
import { builtinCredit, modelCredit, unusedStyle } from './credits.ts'
import { originalText, readInput } from './input.ts'
import { rewritePrompt } from './prompts.ts'
import type { RewriteResult } from './results.ts'
import type { StageInput } from './schema.ts'

export async function rewrite(context: StageContext): Promise<RewriteResult> {
  const input = readInput(context)
  const text = originalText(context, input)
  const model = context.providers.text
  const result = model ? await byModel(context, model, { ...input, text }) : await byEditor(context, { ...input, text })
  await context.artifacts.put('story.txt', { data: `${result.text}\n` }, 'text/plain')
  return result
}

type Rewriting = StageInput & { text: string }

/** Part by part; a part that is done is remembered. */
async function byModel(context: StageContext, model: TextModel, { text, style }: Rewriting): Promise<RewriteResult> {
  const parts = chunksOf(text)
  const answers: Asked<string>[] = []
  for (const [index, part] of parts.entries()) {
    const passage = { text: part, part: index + 1, parts: parts.length, style: style ?? null }
    if (index > 0) context.emit('\n\n')
    answers.push(await askText(context, model, { step: `part-${index + 1}`, prompt: rewritePrompt(passage) }))
    context.emit({ progress: (100 * (index + 1)) / parts.length, message: `part ${index + 1} of ${parts.length}` })
  }
  return { ...modelCredit(model, answers), text: answers.map((a) => a.value.trim()).join('\n\n'), method: 'model' }
}

/** An extractive edit: no word that is not the author's. */
async function byEditor(context: StageContext, { text, style }: Rewriting): Promise<RewriteResult> {
  const work = await openWork(context)
  const edited = await context.step('edit', async () => {
    await using editor = openStoryEditor(work)
    return await editor.edit(text)
  })
  for (const piece of edited.pieces) context.emit(piece)
  const { repeated, tightened } = edited
  const edit = `an extractive edit without a model: ${repeated} repeated and ${tightened} spare sentences are left out`
  const by = builtinCredit(context, [edit, ...unusedStyle(style)])
  return { ...by, text: edited.pieces.join(''), method: 'extractive' }
}
