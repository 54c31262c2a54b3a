/** The story pipeline: a text becomes a short film, written live. Stages load their code when they run. */
import { definePipeline } from '../define.ts'
import { firstLine } from '../film/title.ts'
import type { StoryInput } from './schema.ts'

export const story = definePipeline<StoryInput>({
  name: 'story',
  description: 'A short film from a story: rewriting, storyboard, camera moves, pictures, film; written live',
  input: async () => (await import('./schema.ts')).storyInput,
  titleOf: (input) => firstLine(input.original_text),
  examples: [
    {
      original_text:
        'A hare laughed at a tortoise for being so slow. "Let us run a race," said the tortoise, "and we shall see." ' +
        'The hare thought this a great joke, and they set out. The hare was soon so far ahead that it lay down in the ' +
        'grass beside the road and fell asleep. The tortoise walked on and on, and never stopped. ' +
        'When the hare woke up, it ran as fast as it could. But the tortoise was already at the goal. ' +
        'Slow and steady wins the race!',
      style: "children's book",
      shots: 5,
      height: 480,
    },
  ],
  stages: [
    { name: 'rewrite', queue: 'llm', run: async (context) => (await import('./rewrite.ts')).rewrite(context) },
    { name: 'storyboard', queue: 'llm', run: async (context) => (await import('./storyboard.ts')).storyboard(context) },
    {
      name: 'camera_movement',
      queue: 'llm',
      run: async (context) => (await import('./movement.ts')).moveCamera(context),
    },
    {
      name: 'image_generation',
      queue: 'image',
      run: async (context) => (await import('./images.ts')).drawImages(context),
    },
    {
      name: 'video_generation',
      queue: 'video',
      needs: ['ffmpeg', 'ffprobe'],
      softTimeLimitS: 3_600,
      timeLimitS: 4_200,
      run: async (context) => (await import('./film.ts')).makeFilm(context),
    },
  ],
})
