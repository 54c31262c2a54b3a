/** Points in a stage at which a test can hold it: kills then happen exactly there, and visits can be counted. */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { until } from '../../src/lib/until.ts'

export type Gates = {
  folder: string
  /** From now on whoever comes to the gate waits there. */
  hold(...names: string[]): void
  release(...names: string[]): void
  /** How often the gate was come to, by whatever process. */
  visits(name: string): number
  reached(name: string, times?: number): Promise<void>
}

export function createGates(t: TestContext): Gates {
  const folder = mkdtempSync(join(tmpdir(), 'showrunner-gates-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const visits = (name: string) => visitsOf(folder).filter((line) => line === name).length
  return {
    folder,
    visits,
    hold: (...names) => names.forEach((name) => void writeFileSync(holdPath(folder, name), '')),
    release: (...names) => names.forEach((name) => void rmSync(holdPath(folder, name), { force: true })),
    async reached(name, times = 1) {
      await until(() => visits(name) >= times, { timeoutMs: 40_000, everyMs: 10, what: `visit ${times} of ${name}` })
    },
  }
}

/** The stage's side. Throws the signal's reason when that fires while the gate is held. */
export async function passGate(folder: string, name: string, signal?: AbortSignal): Promise<void> {
  appendFileSync(join(folder, 'visits'), `${name}\n`)
  const isOpen = () => !existsSync(holdPath(folder, name))
  await until(isOpen, { timeoutMs: 120_000, everyMs: 10, signal, what: `gate ${name}` })
}

function holdPath(folder: string, name: string): string {
  return join(folder, `${name}.hold`)
}

function visitsOf(folder: string): string[] {
  const path = join(folder, 'visits')
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
}
