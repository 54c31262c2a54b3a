/** What an earlier run left, dealt with before anything of this one starts: its processes, and its interrupted projects. */
import { readdir, rm } from 'node:fs/promises'
import type { DataLayout } from '../project/layout.ts'
import { cleanDataFolder } from '../project/leftovers.ts'
import { endSurvivors } from '../supervisor/sweep.ts'
import type { LaunchFact } from './facts.ts'
import type { Interrupted, ResumeFacts } from './resume.ts'

export type EarlierRun = {
  dataId: string
  layout: DataLayout
  /** Commands that get TERM first, because they save on it. */
  termFirst: readonly string[]
  onFact: (fact: LaunchFact) => void
}

/** What a killed run left is ended first: two Redis on the same files would corrupt them. */
export async function endEarlierRun({ dataId, layout, termFirst, onFact }: EarlierRun): Promise<void> {
  const survivors = await endSurvivors(dataId, { termFirst })
  await rm(layout.leases, { recursive: true, force: true }) // nobody is left who could hold one
  await cleanDataFolder(layout)
  if (survivors.length > 0) onFact({ type: 'survivors_ended', survivors })
}

/** Few starts find open projects; only those pay for the code that reads them. */
export async function findInterrupted({
  config,
  layout,
}: {
  config: Pick<ResumeFacts, 'resume'>
  layout: DataLayout
}): Promise<Interrupted[]> {
  if ((await readdir(layout.open)).length === 0) return []
  const { findInterrupted: find } = await import('./resume.ts')
  return find({ layout, resume: config.resume })
}
