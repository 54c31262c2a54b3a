/** Stage 4: the picture that stands for the film, with its title. */
import type { StageContext } from '../define.ts'
import { openWork } from '../film/work.ts'
import type { ScriptResult, ThumbnailResult } from './results.ts'
import type { VideoInput } from './schema.ts'

const SIZE = { width: 1280, height: 720 }

export async function makeThumbnail(context: StageContext<VideoInput>): Promise<ThumbnailResult> {
  const script = context.results.script as ScriptResult
  const work = await openWork(context)
  const made = await context.step('thumbnail', async () => {
    await using artist = await context.providers.images.open(work)
    const path = context.artifacts.workPath('thumbnail.part.jpg')
    // The words of the first shot, so that the thumbnail shows the scene with which the film opens.
    const scene = script.shots[0]!.lines.map((line) => line.text).join(' ')
    const by = await artist.draw({ path, format: 'jpeg', ...SIZE, headline: script.title, label: '', scene })
    await context.artifacts.put('thumbnail.jpg', { path }, 'image/jpeg')
    return by
  })
  context.credit(made)
  return { thumbnail: 'thumbnail.jpg' }
}
