/** A provider's `Work` in a temp folder that goes away with the test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Work } from '../../src/providers/provider.ts'

export function openWorkFolder(t: TestContext, signal: AbortSignal = new AbortController().signal): Work {
  const folder = mkdtempSync(join(tmpdir(), 'showrunner-work-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return { folder, signal, nice: 0 }
}
