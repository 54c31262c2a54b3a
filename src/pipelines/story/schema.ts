/**
 * What the story pipeline takes, and what each of its stages takes when it runs alone:
 *
 * | stage | from its input | else from what earlier stages have left |
 * | rewrite | original_text, style | - |
 * | storyboard | text, shots (how many), style | the text of rewrite, else original_text |
 * | camera_movement | shots (a list) | the shots of storyboard |
 * | image_generation | shots (a list), style, aspect, height | the shots of storyboard |
 * | video_generation | shots (a list, each may have a camera) | shots, movements and pictures |
 *
 * Every stage accepts every field and uses its own, so that the whole input and a stage's own are of one shape.
 */
import { z } from 'zod'
import { EASINGS } from '../../providers/ffmpeg/camera.ts'
import { CAMERA_MOVES } from '../../providers/provider.ts'
import { aspectField, heightField, longText, readable, shortText, TEXT_MAX } from '../film/fields.ts'
import { nameOf, SHOTS_MAX } from './shots.ts'

const STYLE_MAX = 300
const DESCRIPTION_MAX = 2_000
const SECONDS_MAX = 60

const style = shortText('style', STYLE_MAX).optional().meta({
  description: 'How it is written and drawn, e.g. "film noir"; applied by models, not by the built-in provider',
})

const count = z
  .int({ error: 'shots must be a whole number' })
  .min(1, { error: 'shots must be at least 1' })
  .max(SHOTS_MAX, { error: `shots must be at most ${SHOTS_MAX}` })

const originalText = longText('original_text').meta({
  description: `The story, 1 to ${TEXT_MAX} characters in any language; Markdown is understood`,
})

export const storyInput = z.strictObject({
  original_text: originalText,
  style,
  shots: count.optional().meta({ description: 'How many shots the film has; by default as many as fit, up to 12' }),
  aspect: aspectField(),
  height: heightField(),
})

export type StoryInput = z.output<typeof storyInput>

const camera = z.strictObject({
  move: z.enum(CAMERA_MOVES),
  amount: z.number().min(0).max(1).default(0.15),
  easing: z.enum(EASINGS).default('ease_in_out'),
})

const shot = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, { error: 'name must be up to 40 letters, digits, "-" and "_"' })
    .optional(),
  description: shortText('description', DESCRIPTION_MAX),
  dialogue: readable('dialogue')
    .max(DESCRIPTION_MAX, { error: `dialogue is longer than ${DESCRIPTION_MAX} characters` })
    .nullish(),
  duration_s: z.number().positive().max(SECONDS_MAX).nullish(),
  camera: camera.optional(),
})

const shotList = z
  .array(shot)
  .min(1, { error: 'shots is empty' })
  .max(SHOTS_MAX, { error: `shots holds more than ${SHOTS_MAX}` })
  .refine((shots) => new Set(shots.map((s, i) => s.name ?? nameOf(i))).size === shots.length, {
    error: 'two shots have the same name',
  })

export const stageInput = z.strictObject({
  original_text: originalText.optional(),
  text: longText('text').optional(),
  style,
  shots: z.union([count, shotList], { error: 'shots must be a number, or a list of shots' }).optional(),
  aspect: aspectField(),
  height: heightField(),
})

export type StageInput = z.output<typeof stageInput>
export type GivenShot = z.output<typeof shot>
