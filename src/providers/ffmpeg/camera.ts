/** Camera moves as FFmpeg filters: pure text, tested as values. */
import type { CameraMove } from '../provider.ts'

export const EASINGS = ['linear', 'ease_in', 'ease_out', 'ease_in_out'] as const
export type Easing = (typeof EASINGS)[number]

/** How far the camera goes, as a share of the picture, and how its speed changes; by default gently. */
export type CameraFeel = { amount?: number; easing?: Easing }

export type CameraShot = CameraFeel & {
  move: CameraMove
  /** Frames of the whole move; a clip may show only a part of them. */
  totalFrames: number
  /** The part to make: `frames` frames from number `from` on. */
  from: number
  frames: number
  width: number
  height: number
  fps: number
}

/** How far the camera comes closer, or how much wider than the frame the picture is when it pans. */
const AMOUNT = 0.18

/** The furthest that leaves what stands in the middle of a picture (its headline) inside the frame. */
const FURTHEST_PAN = 0.18
const FURTHEST_ZOOM = 0.3

export function furthest(move: CameraMove): number {
  if (move === 'static') return 0
  return move.startsWith('zoom') ? FURTHEST_ZOOM : FURTHEST_PAN
}

/**
 * zoompan rounds to whole source pixels: at four times the output width the steps are too small to see.
 * At 1080p three times is enough for that, and costs a third less.
 */
const UPSCALE = 4
const MAX_WIDTH = 5_760

/** One still in, `frames` frames of the move out, at the output's size. */
export function cameraFilter(shot: CameraShot): string {
  const { z, x, y } = expressions(shot)
  // A camera that stands still has no steps to hide.
  const upscale = shot.move === 'static' ? 1 : UPSCALE
  const upWidth = even(Math.min(shot.width * upscale, MAX_WIDTH))
  const upHeight = even((upWidth * shot.height) / shot.width)
  return [
    `scale=${upWidth}:${upHeight}:flags=bicubic`,
    `zoompan=z='${z}':x='${x}':y='${y}':d=${shot.frames}:s=${shot.width}x${shot.height}:fps=${shot.fps}`,
    'setsar=1',
    'format=yuv420p',
    'settb=AVTB',
  ].join(',')
}

/** Positions are functions of the frame's number, never sums over frames, so that no error builds up. */
function expressions(shot: CameraShot): { z: string; x: string; y: string } {
  const t = easing(shot)
  const amount = shot.amount ?? AMOUNT
  const close = `${1 + amount}`
  const centreX = 'iw/2-iw/zoom/2'
  const centreY = 'ih/2-ih/zoom/2'
  switch (shot.move) {
    case 'static':
      return { z: '1', x: '0', y: '0' }
    case 'zoom_in':
      return { z: `1+${amount}*${t}`, x: centreX, y: centreY }
    case 'zoom_out':
      return { z: `1+${amount}*(1-${t})`, x: centreX, y: centreY }
    case 'pan_right':
      return { z: close, x: `(iw-iw/zoom)*${t}`, y: centreY }
    case 'pan_left':
      return { z: close, x: `(iw-iw/zoom)*(1-${t})`, y: centreY }
    case 'tilt_down':
      return { z: close, x: centreX, y: `(ih-ih/zoom)*${t}` }
    case 'tilt_up':
      return { z: close, x: centreX, y: `(ih-ih/zoom)*(1-${t})` }
  }
}

/** 0 to 1 over the whole move; by default slow at both ends. */
function easing({ from, totalFrames, easing: ease = 'ease_in_out' }: CameraShot): string {
  const last = Math.max(1, totalFrames - 1)
  switch (ease) {
    case 'linear':
      return `((on+${from})/${last})`
    case 'ease_in':
      return `(1-cos(PI/2*(on+${from})/${last}))`
    case 'ease_out':
      return `sin(PI/2*(on+${from})/${last})`
    case 'ease_in_out':
      return `(0.5-0.5*cos(PI*(on+${from})/${last}))`
  }
}

export function even(value: number): number {
  return 2 * Math.round(value / 2)
}
