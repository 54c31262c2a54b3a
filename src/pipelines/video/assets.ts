/** Stage 2: one picture per shot and one narration file per line; one remembered step per shot. */
import { availableParallelism } from 'node:os'
import { mapLimit } from '../../lib/map-limit.ts'
import type { Artist, Narrator, Shot } from '../../providers/provider.ts'
import type { StageContext } from '../define.ts'
import { sizeOf } from '../film/frame.ts'
import { drawStill } from '../film/picture.ts'
import { openWork } from '../film/work.ts'
import type { AssetsResult, Maker, ScriptResult, ShotAssets, SpokenLine } from './results.ts'
import type { VideoInput } from './schema.ts'

type Tools = { artist: Artist; narrator: Narrator }
type MadeShot = ShotAssets & { degraded: string[]; drawn_by: Maker }

export async function makeAssets(context: StageContext<VideoInput>): Promise<AssetsResult> {
  const script = context.results.script as ScriptResult
  const work = await openWork(context)
  const wish = { voice: context.input.voice ?? null, language: script.language, writing: script.writing }
  const narrator = await context.providers.speech.open(wish, work)
  await using artist = await context.providers.images.open(work)
  const total = script.shots.length
  let current = 0
  const made = await mapLimit(script.shots, Math.min(4, availableParallelism() + 1), async (shot, index) => {
    const label = `${index + 1} / ${total}`
    const assets = await context.step(shot.name, () => makeShot(context, shot, { artist, narrator, label }))
    context.emit({ current: ++current, total, item_name: shot.name })
    return assets
  })
  const degraded = [...new Set(made.flatMap((shot) => shot.degraded))]
  context.credit({ ...narrator.provenance, degraded: [...narrator.provenance.degraded, ...degraded] })
  const shots = made.map(({ degraded: _degraded, drawn_by: _drawnBy, ...shot }) => shot)
  const { provider, model } = narrator.provenance
  const made_by = { pictures: made[0]!.drawn_by, narration: { provider, model } }
  return { shots, voice: narrator.voice, engine: narrator.engine, silent: narrator.silent, made_by }
}

async function makeShot(
  context: StageContext<VideoInput>,
  shot: Shot,
  tools: Tools & { label: string },
): Promise<MadeShot> {
  const still = await drawStill(context.artifacts, tools.artist, {
    name: shot.name,
    headline: shot.headline,
    label: tools.label,
    scene: shot.lines.map((line) => line.text).join(' '),
    frame: sizeOf(context.input),
  })
  const lines: SpokenLine[] = []
  const degraded = [...still.degraded]
  for (const line of shot.lines) {
    const narration = `${line.name}.wav`
    const path = context.artifacts.workPath(narration)
    const spoken = await tools.narrator.speak(line.text, path)
    await context.artifacts.put(narration, { path }, 'audio/wav')
    lines.push({ ...line, narration, duration_s: spoken.durationS })
    if (!spoken.audible && !tools.narrator.silent) degraded.push(`${line.name} cannot be spoken and is silent`)
  }
  const { name, headline, camera } = shot
  const drawn_by = { provider: still.provider, model: still.model }
  return { name, headline, camera, picture: still.picture, lines, degraded, drawn_by }
}
