/** What the video pipeline takes: checked here once, so that stages need not doubt it. */
import { z } from 'zod'
import { isVisible } from '../../providers/builtin/plain-text.ts'

const HEIGHTS = [360, 480, 720, 1080] as const
const TEXT_MAX = 200_000
const DEFAULT_DURATION_S = 60

/** Code points, as people count, not UTF-16 units. */
function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}

const readable = (name: string) =>
  z
    .string({ error: `${name} must be text` })
    .refine((text) => !text.includes('\0'), { error: `${name} holds a NUL character`, abort: true })
    .refine((text) => text.isWellFormed(), {
      error: `${name} holds half of a surrogate pair: it is not valid Unicode`,
      abort: true,
    })

export const videoInput = z.strictObject({
  text: readable('text')
    .refine((text) => lengthOf(text) <= TEXT_MAX, { error: `text is longer than ${TEXT_MAX} characters`, abort: true })
    .refine(isVisible, { error: 'text is empty: it holds no visible character' })
    .meta({ description: `What the film tells, 1 to ${TEXT_MAX} characters in any language; Markdown is understood` }),
  title: readable('title')
    .refine(isVisible, { error: 'title is empty: it holds no visible character' })
    .refine((text) => lengthOf(text) <= 200, { error: 'title is longer than 200 characters' })
    .optional()
    .meta({ description: 'Drawn on the thumbnail; by default the first heading or sentence' }),
  aspect: z
    .enum(['16:9', '9:16', '1:1'])
    .default('16:9')
    .meta({ description: 'Shape of the picture, width to height' }),
  height: z
    .literal(HEIGHTS, { error: `height must be one of ${HEIGHTS.join(', ')}` })
    .default(720)
    .meta({ description: 'Height of the picture in pixels' }),
  voice: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_+/-]{0,63}$/, {
      error: 'voice must be the name of an espeak-ng voice, e.g. en-us or de+f3',
    })
    .optional()
    .meta({ description: 'By default the voice of the language of the text' }),
  max_duration_s: z
    .number()
    .min(15, { error: 'max_duration_s must be at least 15' })
    .max(1_800, { error: 'max_duration_s must be at most 1800' })
    .default(DEFAULT_DURATION_S)
    .meta({ description: 'The film is at most so long; sentences are chosen to fit' }),
})

export type VideoInput = z.output<typeof videoInput>
