/** Stage 4: one picture for each shot; one remembered step per shot. */
import { availableParallelism } from 'node:os'
import { mapLimit } from '../../lib/map-limit.ts'
import type { Provenance } from '../../providers/provider.ts'
import type { StageContext } from '../define.ts'
import { type Frame, sizeOf } from '../film/frame.ts'
import { drawStill } from '../film/picture.ts'
import { openWork } from '../film/work.ts'
import { unusedStyle } from './credits.ts'
import { readInput, shotsOf } from './input.ts'
import type { ImagesResult } from './results.ts'
import type { StoryShot } from './shots.ts'

/** What stands on a picture is read at a glance. */
const HEADLINE_MAX = 60

export async function drawImages(context: StageContext): Promise<ImagesResult> {
  const input = readInput(context)
  const shots = shotsOf(context, input)
  const frame = sizeOf(input)
  await using artist = await context.providers.images.open(await openWork(context))
  let current = 0
  const drawn = await mapLimit(shots, Math.min(4, availableParallelism() + 1), async (shot, index) => {
    const still = stillOf(shot, { frame, style: input.style, label: `${index + 1} / ${shots.length}` })
    const made = await context.step(shot.name, () => drawStill(context.artifacts, artist, still))
    context.credit(made)
    context.emit({ current: ++current, total: shots.length, item_name: shot.name })
    return made
  })
  const images = shots.map((shot, index) => ({ shot: shot.name, picture: drawn[index]!.picture }))
  return { ...credit(context, drawn, input.style), images, frame }
}

function stillOf(shot: StoryShot, { frame, style, label }: { frame: Frame; style?: string; label: string }) {
  const { name, description, dialogue } = shot
  // A model paints what it reads; the built-in cards find what the words name, spoken ones too.
  const scene = [description, dialogue, style && `Style: ${style}`].filter(Boolean).join('\n')
  return { name, headline: headlineOf(description), label, scene, frame }
}

/** The first clause of the description, cut at a word. */
function headlineOf(description: string): string {
  const clause = description.split(/[.;:\n。；]/)[0]!.trim() || description
  const letters = [...clause]
  if (letters.length <= HEADLINE_MAX) return clause
  const head = letters.slice(0, HEADLINE_MAX).join('')
  return `${head.replace(/\s+\S*$/, '')}…`
}

function credit(context: StageContext, drawn: readonly Provenance[], style: string | undefined) {
  const { provider, model } = drawn[0]!
  const cards = provider === 'builtin' ? ['pictures are drawn cards, not images by a model', ...unusedStyle(style)] : []
  const degraded = [...new Set([...drawn.flatMap((by) => by.degraded), ...cards])]
  context.credit({ degraded })
  return { provider, model, degraded }
}
