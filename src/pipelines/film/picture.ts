/** One still of a film, drawn and committed. */
import type { Artist, Provenance } from '../../providers/provider.ts'
import type { StageArtifacts } from '../define.ts'
import type { Frame } from './frame.ts'

/** Pictures are a little larger than the film, so that a camera that comes closer still finds detail. */
const PICTURE_SCALE = 1.25

/** `headline` and `label` are drawn on it, `scene` decides what it shows, `frame` is the film's. */
export type Still = { name: string; headline: string; label: string; scene: string; frame: Frame }

/** Commits `<name>.png`. */
export async function drawStill(
  artifacts: StageArtifacts,
  artist: Artist,
  still: Still,
): Promise<Provenance & { picture: string }> {
  const { headline, label, scene, frame } = still
  const picture = `${still.name}.png`
  const path = artifacts.workPath(picture)
  const width = Math.round(frame.width * PICTURE_SCALE)
  const height = Math.round(frame.height * PICTURE_SCALE)
  const by = await artist.draw({ path, format: 'png', width, height, headline, label, scene })
  await artifacts.put(picture, { path }, 'image/png')
  return { ...by, picture }
}
