/** The shapes of a model's JSON answers. All fields are required, because that is what servers enforce. */
import { z } from 'zod'
import { EASINGS } from '../../providers/ffmpeg/camera.ts'
import { CAMERA_MOVES, type JsonShape } from '../../providers/provider.ts'
import { SHOTS_MAX, type StoryShot } from './shots.ts'

const storyboard = z.object({
  shots: z.array(z.object({ description: z.string(), dialogue: z.string().nullable(), duration_s: z.number() })),
})

const movement = z.object({ move: z.enum(CAMERA_MOVES), amount: z.number(), easing: z.enum(EASINGS) })

export type StoryboardAnswer = z.output<typeof storyboard>
export type MovementAnswer = { movements: Record<string, z.output<typeof movement>> }

/** What the shape cannot say is checked here, in words from which a model can repair its answer. */
export function storyboardShape(): JsonShape<StoryboardAnswer> {
  const checked = storyboard
    .refine(({ shots }) => shots.length > 0, { error: 'shots is empty', path: ['shots'] })
    .refine(({ shots }) => shots.length <= SHOTS_MAX, { error: `shots holds more than ${SHOTS_MAX}`, path: ['shots'] })
    .refine(({ shots }) => shots.every((s) => s.description.trim() !== ''), {
      error: 'a shot has an empty description',
      path: ['shots'],
    })
  return { name: 'storyboard', schema: checked, jsonSchema: z.toJSONSchema(storyboard) }
}

/** The names of the shots are fields: so the server itself sees to it that there is exactly one movement for each. */
export function movementShape(shots: readonly StoryShot[]): JsonShape<MovementAnswer> {
  const movements = z.object(Object.fromEntries(shots.map((shot) => [shot.name, movement])))
  const schema = z.object({ movements })
  return { name: 'camera_movements', schema, jsonSchema: z.toJSONSchema(schema) }
}
