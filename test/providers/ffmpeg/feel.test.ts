/** Amount and easing of a camera move: the expressions are calculated, frame by frame. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { type CameraFeel, cameraFilter, EASINGS } from '../../../src/providers/ffmpeg/camera.ts'

const FRAMES = 50

/** The zoom factor at each frame, as FFmpeg would calculate it. */
function zooms(feel: CameraFeel): number[] {
  const size = { width: 640, height: 360, fps: 25 }
  const filter = cameraFilter({ move: 'zoom_in', ...feel, totalFrames: FRAMES, from: 0, frames: FRAMES, ...size })
  const z = /z='([^']+)'/.exec(filter)![1]!
  const { cos, sin, PI } = Math
  return Array.from({ length: FRAMES }, (_, on) => runInNewContext(z, { on, cos, sin, PI }) as number)
}

for (const easing of EASINGS)
  test(`${easing} begins at rest, ends at its amount, and never turns back`, () => {
    const z = zooms({ amount: 0.25, easing })
    assert.ok(Math.abs(z[0]! - 1) < 1e-9 && Math.abs(z.at(-1)! - 1.25) < 1e-9)
    for (const [i, value] of z.slice(1).entries()) assert.ok(value > z[i]!)
  })

test('each easing has its own speed', () => {
  const first = (easing: (typeof EASINGS)[number]) => zooms({ amount: 0.25, easing })[5]! - 1
  assert.ok(first('ease_in_out') < first('linear') && first('ease_in') < first('linear'))
  assert.ok(first('linear') < first('ease_out'))
  const last = (easing: (typeof EASINGS)[number]) => 1.25 - zooms({ amount: 0.25, easing })[44]!
  assert.ok(last('ease_out') < last('linear') && last('linear') < last('ease_in'))
})

test('without a wish it is the gentle move of before', () => {
  assert.deepEqual(zooms({}), zooms({ amount: 0.18, easing: 'ease_in_out' }))
})
