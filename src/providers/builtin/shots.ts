/** Lines into shots: a new picture after some seconds, sooner when the subject changes. */
import type { CameraMove } from '../provider.ts'
import { speakingS } from './pace.ts'
import { similarity } from './rank.ts'
import { seededRandom } from './seed.ts'
import { BREATH_S, type Chosen } from './selection.ts'

const SHORT_S = 3.5
const LONG_S = 7.5
/** A line so short gets no picture of its own. */
const REMARK_S = 2
/** Below this cosine two neighbouring lines share hardly a word of weight. */
const TOPIC_SHIFT = 0.04

export function groupIntoShots(lines: readonly Chosen[], vectors: readonly Map<string, number>[]): Chosen[][] {
  const shots: Chosen[][] = []
  let current: Chosen[] = []
  let lengthS = 0
  for (const line of lines) {
    const takesS = speakingS(line.text) + BREATH_S
    const before = current.at(-1)
    const shifts = before !== undefined && shifted(before, line, vectors)
    const full = lengthS + takesS > LONG_S && takesS >= REMARK_S
    if (current.length > 0 && (full || (shifts && lengthS >= SHORT_S && takesS >= REMARK_S))) {
      shots.push(current)
      current = []
      lengthS = 0
    }
    current.push(line)
    lengthS += takesS
  }
  if (current.length > 0) shots.push(current)
  return shots
}

const FREE_MOVES: readonly CameraMove[] = ['pan_left', 'pan_right', 'tilt_up', 'tilt_down', 'zoom_in', 'zoom_out']
const MOVING = /\b(walk|ran|run|went|go|going|came|come|rode|ride|travel|flew|fly|march|move|follow|chase|hurr)\w*/i
const SPEECH = /^["“„«‘「—]|["”“»」]\s*$/

/** Moves by rule; where no rule speaks, by the hash of the words, and never the same move twice running. */
export function cameraMoves(shots: readonly string[]): CameraMove[] {
  const moves: CameraMove[] = []
  for (const [index, text] of shots.entries()) {
    const ruled = ruledMove(text, index)
    moves.push(ruled ?? freeMove(text, moves.at(-1)))
  }
  return moves
}

function ruledMove(text: string, index: number): CameraMove | undefined {
  if (index === 0) return 'zoom_out'
  if (SPEECH.test(text)) return 'static'
  if (text.includes('!')) return 'zoom_in'
  if (MOVING.test(text)) return seededRandom(text)() < 0.5 ? 'pan_left' : 'pan_right'
  return undefined
}

function freeMove(text: string, before: CameraMove | undefined): CameraMove {
  const moves = FREE_MOVES.filter((move) => move !== before)
  return moves[Math.floor(seededRandom(text)() * moves.length)]!
}

function shifted(before: Chosen, line: Chosen, vectors: readonly Map<string, number>[]): boolean {
  if (before.sentence === line.sentence) return false
  return similarity(vectors[before.sentence]!, vectors[line.sentence]!) < TOPIC_SHIFT
}
