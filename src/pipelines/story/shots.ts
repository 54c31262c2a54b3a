/** A shot of a story, and the rules that make one out of what a person, a model or the built-in editor gives. */

import { speakingS } from '../../providers/builtin/pace.ts'
import type { Movement } from '../../providers/builtin/story.ts'
import { furthest } from '../../providers/ffmpeg/camera.ts'

/** At most so many shots in a story, however long its text is. */
export const SHOTS_MAX = 60
export const SHOTS_DEFAULT = 12

const SHORTEST_S = 1.5
const LONGEST_S = 20
/** Words burned into a picture are read a little faster than they are said. */
const READING_SHARE = 0.8

/** `description` is what is seen, `dialogue` what is said or told in it. */
export type StoryShot = { name: string; description: string; dialogue: string | null; duration_s: number }

export type LooseShot = { name?: string; description: string; dialogue?: string | null; duration_s?: number | null }

/** Names that are missing are given; a shot lasts long enough for its words to be read. */
export function settleShots(shots: readonly LooseShot[]): StoryShot[] {
  return shots.map(({ name, description, dialogue, duration_s }, index) => {
    const words = dialogue?.trim() || null
    const spokenS = words === null ? 0 : speakingS(words)
    return {
      name: name ?? nameOf(index),
      description: description.trim(),
      dialogue: words,
      duration_s: clampS(Math.max(duration_s ?? spokenS, spokenS * READING_SHARE)),
    }
  })
}

/** What a shot is called when nobody has named it. */
export function nameOf(index: number): string {
  return `shot-${String(index + 1).padStart(3, '0')}`
}

/** A move that goes no further than what stands in the middle of the picture allows. */
export function settleMove({ move, amount, easing }: Movement): Movement {
  const share = Math.round(100 * Math.min(Math.max(0, amount), furthest(move))) / 100
  return { move, amount: share, easing: move === 'static' ? 'linear' : easing }
}

function clampS(durationS: number): number {
  return Math.round(10 * Math.min(LONGEST_S, Math.max(SHORTEST_S, durationS))) / 10
}
