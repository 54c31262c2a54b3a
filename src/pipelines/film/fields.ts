/** Input fields that pipelines of films have in common, with the sentence for everything they refuse. */
import { z } from 'zod'
import { isVisible } from '../../providers/builtin/plain-text.ts'

export const TEXT_MAX = 200_000
const HEIGHTS = [360, 480, 720, 1080] as const

/** Text that can be written down, drawn and sent anywhere. */
export function readable(name: string) {
  return z
    .string({ error: `${name} must be text` })
    .refine((text) => !text.includes('\0'), { error: `${name} holds a NUL character`, abort: true })
    .refine((text) => text.isWellFormed(), {
      error: `${name} holds half of a surrogate pair: it is not valid Unicode`,
      abort: true,
    })
}

/** A text to work on: 1 to 200,000 characters of which at least one is visible. */
export function longText(name: string) {
  return readable(name)
    .refine((text) => lengthOf(text) <= TEXT_MAX, {
      error: `${name} is longer than ${TEXT_MAX} characters`,
      abort: true,
    })
    .refine(isVisible, { error: `${name} is empty: it holds no visible character` })
}

/** A line of at most `max` characters. */
export function shortText(name: string, max: number) {
  return readable(name)
    .refine(isVisible, { error: `${name} is empty: it holds no visible character` })
    .refine((text) => lengthOf(text) <= max, { error: `${name} is longer than ${max} characters` })
}

export function aspectField() {
  return z.enum(['16:9', '9:16', '1:1']).default('16:9').meta({ description: 'Shape of the picture, width to height' })
}

export function heightField() {
  return z
    .literal(HEIGHTS, { error: `height must be one of ${HEIGHTS.join(', ')}` })
    .default(720)
    .meta({ description: 'Height of the picture in pixels' })
}

/** Code points, as people count, not UTF-16 units. */
function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}
