/** Stage 3: the film. One clip per shot, each a remembered step, then everything joined. */
import { availableParallelism } from 'node:os'
import { mapLimit } from '../../lib/map-limit.ts'
import { notDrawn } from '../../providers/builtin/drawable.ts'
import type { StageContext } from '../define.ts'
import { CLIP_NEEDS, type ClipMaking, frameProgress, makeClip } from '../film/clip.ts'
import { sizeOf } from '../film/frame.ts'
import { openWork } from '../film/work.ts'
import { joinFilm } from './film.ts'
import { FPS, planFilm } from './plan.ts'
import type { AssetsResult, RenderResult, ScriptResult } from './results.ts'
import type { VideoInput } from './schema.ts'

/** Joining copies pictures and encodes only sound: the clips are nearly all of the work. */
const CLIPS_PERCENT = 94

const NEEDED = {
  filters: [...CLIP_NEEDS.filters, 'loudnorm', 'alimiter'],
  encoders: [...CLIP_NEEDS.encoders, 'aac'],
}

export async function renderFilm(context: StageContext<VideoInput>): Promise<RenderResult> {
  const work = await openWork(context)
  await context.providers.ffmpeg.require(NEEDED, work)
  const script = context.results.script as ScriptResult
  const assets = context.results.assets as AssetsResult
  const plan = planFilm(assets.shots, context.input.max_duration_s)
  const fonts = await context.providers.fonts(work.folder)
  const frame = sizeOf(context.input)
  const onFrames = frameProgress(context, { frames: plan.frames, share: CLIPS_PERCENT })
  const making: ClipMaking = { context, work, fonts, frame, fps: FPS, onFrames }
  const lanes = Math.min(4, availableParallelism())
  const clips = await mapLimit(plan.shots, lanes, (shot, index) =>
    context.step(`clip-${shot.name}`, () => makeClip(making, shot, plan.shots[index - 1] ?? null)),
  )
  context.emit({ progress: CLIPS_PERCENT, message: 'joining clips and narration' })
  const degraded = [
    ...notDrawn(clips.flatMap((clip) => clip.missing)),
    ...(assets.silent ? ['the film has no narration'] : []),
  ]
  const made = await context.step('film', () =>
    joinFilm({ context, work, plan, title: script.title, clips: clips.map((clip) => clip.artifact) }),
  )
  context.credit({ provider: 'builtin', model: null, degraded })
  return {
    ...made,
    ...frame,
    frames: plan.frames,
    fps: FPS,
    shots: plan.shots.length,
    dropped_lines: plan.droppedLines,
  }
}
