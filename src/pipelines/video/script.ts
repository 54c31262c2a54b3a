/** Stage 1: narration lines and shots from the text. */
import type { Emission, StageContext } from '../define.ts'
import { workOf } from '../film/work.ts'
import type { ScriptResult } from './results.ts'
import type { VideoInput } from './schema.ts'

/** Streams the lines as text, then gives the script and commits it as a readable file. */
export async function* writeScript(context: StageContext<VideoInput>): AsyncGenerator<Emission, ScriptResult> {
  const { input, artifacts, providers } = context
  yield { progress: 5, message: `reading ${input.text.length} characters` }
  const written = await context.step('script', () =>
    providers.script.write(
      { text: input.text, title: input.title ?? null, targetS: input.max_duration_s },
      workOf(context),
    ),
  )
  const { provider, model, degraded, usage, ...script } = written
  context.credit({ provider, model, degraded, usage })
  for (const shot of script.shots) yield `${shot.lines.map((line) => line.text).join(' ')}\n`
  const method = model === null ? ('extractive' as const) : ('model' as const)
  const result = { ...script, method, made_by: { provider, model } }
  await artifacts.put(
    'script.json',
    { data: `${JSON.stringify({ degraded, ...result }, null, 2)}\n` },
    'application/json',
  )
  yield { progress: 100, message: `${script.shots.length} shots` }
  return result
}
