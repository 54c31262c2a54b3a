/** The input as the stages see it. Without the schema: workers need not load what only the API checks with. */
import type { VideoInput } from './schema.ts'

const ASPECTS = { '16:9': 16 / 9, '9:16': 9 / 16, '1:1': 1 } as const

/** Width and height in pixels, both even, as H.264 wants them. */
export function sizeOf({ aspect, height }: Pick<VideoInput, 'aspect' | 'height'>): { width: number; height: number } {
  return { width: 2 * Math.round((height * ASPECTS[aspect]) / 2), height }
}
