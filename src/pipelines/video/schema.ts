/** What the video pipeline takes: checked here once, so that stages need not doubt it. */
import { z } from 'zod'
import { aspectField, heightField, longText, shortText, TEXT_MAX } from '../film/fields.ts'

const DEFAULT_DURATION_S = 60

export const videoInput = z.strictObject({
  text: longText('text').meta({
    description: `What the film tells, 1 to ${TEXT_MAX} characters in any language; Markdown is understood`,
  }),
  title: shortText('title', 200)
    .optional()
    .meta({ description: 'Drawn on the thumbnail; by default the first heading or sentence' }),
  aspect: aspectField(),
  height: heightField(),
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
