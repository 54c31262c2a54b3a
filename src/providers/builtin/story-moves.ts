/** Camera moves by rule: which way, how far and how smoothly, from the words of each shot alone. */
import { type Easing, furthest } from '../ffmpeg/camera.ts'
import type { CameraMove } from '../provider.ts'
import { seededRandom } from './seed.ts'
import { cameraMoves } from './shots.ts'
import type { Movement } from './story.ts'

/** A move of less than this share of the furthest is not seen as one. */
const LEAST = 0.5

export function moveCamera(texts: string[]): Movement[] {
  return cameraMoves(texts).map((move, index) => ({
    move,
    amount: amountOf(move, texts[index]!),
    easing: easingOf(move, texts[index]!),
  }))
}

/** What is cried out is shown in full; else the words decide. */
function amountOf(move: CameraMove, text: string): number {
  const share = text.includes('!') ? 1 : LEAST + (1 - LEAST) * seededRandom(`amount ${text}`)()
  return Math.round(100 * furthest(move) * share) / 100
}

function easingOf(move: CameraMove, text: string): Easing {
  if (move === 'static') return 'linear'
  if (text.includes('!')) return 'ease_in'
  return move === 'zoom_out' ? 'ease_out' : 'ease_in_out'
}
