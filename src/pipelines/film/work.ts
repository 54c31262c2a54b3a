/** What a stage that makes pictures, sound or film hands to a provider. */
import { dirname } from 'node:path'
import { ensureFolder } from '../../lib/files.ts'
import type { Work } from '../../providers/provider.ts'
import type { StageContext } from '../define.ts'

export function workOf(context: StageContext): Work {
  return { folder: dirname(context.artifacts.workPath('x')), signal: context.signal, nice: context.nice }
}

/** A stage whose steps were all remembered has not needed its folder yet. */
export async function openWork(context: StageContext): Promise<Work> {
  const work = workOf(context)
  await ensureFolder(work.folder)
  return work
}
