/** The shapes of a model's JSON answers. All fields are required, because that is what servers enforce. */
import { z } from 'zod'
import { EASINGS } from '../../providers/ffmpeg/camera.ts'
import { CAMERA_MOVES, type JsonShape } from '../../providers/provider.ts'
import type { StoryShot } from './shots.ts'

const storyboard = z.object({
  shots: z.array(z.object({ description: z.string(), dialogue: z.string().nullable(), duration_s: z.number() })),
})

const movements = z.object({
  movements: z.array(
    z.object({ shot: z.string(), move: z.enum(CAMERA_MOVES), amount: z.number(), easing: z.enum(EASINGS) }),
  ),
})

export type StoryboardAnswer = z.output<typeof storyboard>
export type MovementAnswer = z.output<typeof movements>

/** What the shape cannot say is checked here, in words from which a model can repair its answer. */
export function storyboardShape(most: number): JsonShape<StoryboardAnswer> {
  const checked = storyboard
    .refine(({ shots }) => shots.length > 0, { error: 'shots is empty', path: ['shots'] })
    .refine(({ shots }) => shots.length <= most, { error: `shots holds more than ${most}`, path: ['shots'] })
    .refine(({ shots }) => shots.every((s) => s.description.trim() !== ''), {
      error: 'a shot has an empty description',
      path: ['shots'],
    })
  return { name: 'storyboard', schema: checked, jsonSchema: z.toJSONSchema(storyboard) }
}

export function movementShape(shots: readonly StoryShot[]): JsonShape<MovementAnswer> {
  const names = shots.map((shot) => shot.name)
  const checked = movements.refine((answer) => answer.movements.map((m) => m.shot).join() === names.join(), {
    error: `there must be exactly one movement for each shot, in this order: ${names.join(', ')}`,
    path: ['movements'],
  })
  return { name: 'camera_movements', schema: checked, jsonSchema: z.toJSONSchema(movements) }
}
