/** Stage 5: the finished files, under plain names, in a folder of this machine. */
import type { StageContext } from '../define.ts'
import type { UploadResult, VideoResults } from './results.ts'
import type { VideoInput } from './schema.ts'

export async function publishLocally(context: StageContext<VideoInput>): Promise<UploadResult> {
  const results = context.results as VideoResults
  await context.publish([
    { name: 'video.mp4', artifact: results.render.video },
    { name: 'video.srt', artifact: results.render.subtitles },
    { name: 'thumbnail.jpg', artifact: results.thumbnail.thumbnail },
    { name: 'metadata.json', data: `${JSON.stringify(metadata(context, results), null, 2)}\n` },
  ])
  context.credit({ provider: 'local', model: null, degraded: [] })
  const files = ['video.mp4', 'video.srt', 'thumbnail.jpg', 'metadata.json']
  return { target: 'local', message: 'published to a local folder', files }
}

/** Made of the input alone, so that the same input publishes the same bytes. */
function metadata(context: StageContext<VideoInput>, { script, assets, render }: VideoResults) {
  return {
    title: script.title,
    language: script.language,
    duration_s: render.duration_s,
    width: render.width,
    height: render.height,
    ...script.made_by,
    method: script.method,
    made_by: { script: script.made_by, ...assets.made_by },
    narration: assets.engine,
    voice: assets.voice,
    shots: assets.shots.map(({ name, headline, camera, lines }) => ({
      name,
      headline,
      camera,
      lines: lines.map((line) => line.text),
    })),
    aspect: context.input.aspect,
  }
}
