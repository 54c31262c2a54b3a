/** What must hold in a data folder after every test, whatever was done to it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileFindings } from '../../src/chaos/examine.ts'
import { acquireLock } from '../../src/lib/lock.ts'
import { openJournal } from '../../src/project/journal.ts'
import { type DataLayout, projectLayout } from '../../src/project/layout.ts'
import { ENDED, type ProjectState } from '../../src/project/project.ts'

/** After a stop nothing is `running`: it ended, waits, or has not begun. */
const SETTLED = new Set(['completed', 'waiting', 'failed', 'cancelled', 'queued', 'pending'])

type Leniency = {
  mayTear?: boolean
  /** A stop in haste was cut short: what it left undone the next start does. */
  isCut?: boolean
}

export async function assertSound(layout: DataLayout, lenient: Leniency = {}): Promise<void> {
  for (const id of await readdir(layout.projects).catch(() => [])) await assertSoundProject(layout, id, lenient)
  const folders = lenient.isCut ? [] : [layout.root, layout.redis, layout.idempotency]
  for (const folder of folders) await assertNoTemps(folder)
  const lock = await acquireLock(layout.lock).catch(() => 'no folder' as const)
  assert.notEqual(lock, undefined, 'the data folder is still locked')
  if (typeof lock === 'object') lock.release()
}

async function assertSoundProject(layout: DataLayout, id: string, { mayTear, isCut }: Leniency): Promise<void> {
  const paths = projectLayout(layout, id)
  const journal = openJournal(paths.journal)
  const { state } = journal.read()
  if (!mayTear) assert.equal(journal.skipped(), 0, `records of ${id} are torn`)
  // The verdict of the command `chaos`: the state file is the fold, the files are what was recorded.
  const findings = await fileFindings(paths, state)
  if (isCut)
    return assert.deepEqual(
      findings.filter(({ text }) => !text.startsWith('the state file')),
      [],
    )
  assert.deepEqual(findings, [])
  await assertNoTemps(paths.folder)
  if (ENDED.has(state.status)) assert.deepEqual(await namesIn(paths.work), [], 'the folder of an attempt is left')
  for (const { name, status } of state.stages) assert.ok(SETTLED.has(status), `after the stop ${name} is ${status}`)
}

/** As lib/files.ts names them. */
async function assertNoTemps(folder: string): Promise<void> {
  const temps = (await namesIn(folder)).filter((name) => name.startsWith('.') && name.endsWith('.tmp'))
  assert.deepEqual(temps, [], `temp files are left in ${folder}`)
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []) // no folder: nothing is in it
}

/** Name → SHA-256 of each artifact's bytes on the disk. */
export async function hashesOf(
  layout: DataLayout,
  state: Pick<ProjectState, 'id' | 'artifacts'>,
): Promise<Record<string, string>> {
  const { artifacts } = projectLayout(layout, state.id)
  const entries = state.artifacts.map(async ({ name, file }) => {
    const data = await readFile(join(artifacts, file)).catch(() => '') // a missing file has no bytes, and so another hash
    return [name, createHash('sha256').update(data).digest('hex')] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** The state as the folder tells it, with what the API leaves out. */
export function readState(layout: DataLayout, id: string): ProjectState {
  return openJournal(projectLayout(layout, id).journal).read().state
}
