/** The video pipeline: from a text to a narrated film with subtitles. Stages load their code when they run. */
import { definePipeline } from '../define.ts'
import { firstLine } from '../film/title.ts'
import type { VideoInput } from './schema.ts'

export const video = definePipeline<VideoInput>({
  name: 'video',
  description: 'A narrated film from a text: script, pictures, narration, camera moves, subtitles, thumbnail',
  input: async () => (await import('./schema.ts')).videoInput,
  titleOf: (input) => input.title ?? firstLine(input.text),
  examples: [
    {
      title: 'The Crow and the Pitcher',
      text:
        'A crow, half dead with thirst, came upon a pitcher which had once been full of water. ' +
        'But when the crow put its beak into the mouth of the pitcher, it found that only very little water was left in it. ' +
        'It tried, and it tried, but at last had to give up in despair. ' +
        'Then a thought came to it. It took a pebble and dropped it into the pitcher. ' +
        'Then it took another pebble, and another, and cast them all in. ' +
        'At last it saw the water mount up near, and after casting in a few more pebbles ' +
        'it was able to quench its thirst and save its life. Little by little does the trick.',
      height: 480,
    },
  ],
  stages: [
    {
      name: 'script',
      queue: 'llm',
      async *run(context) {
        const { writeScript } = await import('./script.ts')
        return yield* writeScript(context)
      },
    },
    { name: 'assets', queue: 'image', run: async (context) => (await import('./assets.ts')).makeAssets(context) },
    {
      name: 'render',
      queue: 'video',
      needs: ['ffmpeg', 'ffprobe'],
      softTimeLimitS: 3_600,
      timeLimitS: 4_200,
      run: async (context) => (await import('./render.ts')).renderFilm(context),
    },
    {
      name: 'thumbnail',
      queue: 'video',
      run: async (context) => (await import('./thumbnail.ts')).makeThumbnail(context),
    },
    { name: 'upload', queue: 'video', run: async (context) => (await import('./upload.ts')).publishLocally(context) },
  ],
})
