/** Temp folders that a test gets rid of by itself. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export async function tempFolder(t: TestContext, name = 'showrunner-'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), name))
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}
