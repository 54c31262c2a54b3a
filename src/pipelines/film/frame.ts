/** The size of a film. Without the schema: workers need not load what only the API checks with. */

const ASPECTS = { '16:9': 16 / 9, '9:16': 9 / 16, '1:1': 1 } as const

export type Shape = { aspect: keyof typeof ASPECTS; height: number }

export type Frame = { width: number; height: number }

/** Width and height in pixels, both even, as H.264 wants them. */
export function sizeOf({ aspect, height }: Shape): Frame {
  return { width: 2 * Math.round((height * ASPECTS[aspect]) / 2), height }
}
