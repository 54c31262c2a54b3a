/** When a run that was killed was last alive: what it wrote last, or a time that it renews while it has nothing to say. */
import { constants } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loggedProcesses, readNewest } from './log-pages.ts'

/** A time as ISO: unlike the time of a change, it is still true in a copy of the folder. */
const FILE = 'alive'
const EVERY_MS = 10_000
const ISO_LENGTH = '2026-11-23T14:02:11.000Z'.length

/** Nothing waits for the disk: a kill leaves what was written, and a power cut loses some seconds of it. */
export function startSigns(folder: string): { stop(): void } {
  const path = join(folder, FILE)
  // Where it cannot be written, nor can the logs, which is said there.
  const timer = setInterval(() => void writeSign(path).catch(() => {}), EVERY_MS).unref()
  return { stop: () => clearInterval(timer) }
}

/** In place: all times have the same length, and a file that is cut first would be flushed by some file systems. */
async function writeSign(path: string): Promise<void> {
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o640)
  try {
    await handle.write(new Date().toISOString(), 0)
  } finally {
    await handle.close()
  }
}

/** In milliseconds since 1970; null where nothing is left. To be asked before the next run writes. */
export async function lastSignMs(folder: string): Promise<number | null> {
  const signs = await Promise.all([readSign(folder), readLastLine(folder)])
  const known = signs.filter((ms) => !Number.isNaN(ms))
  return known.length > 0 ? Math.max(...known) : null
}

async function readSign(folder: string): Promise<number> {
  const text = await readFile(join(folder, FILE), 'utf8').catch(() => '') // it has not lived so long
  return text.length === ISO_LENGTH ? Date.parse(text) : Number.NaN // half a time may be read as another one
}

async function readLastLine(folder: string): Promise<number> {
  try {
    const [newest] = await readNewest({ folder, processes: await loggedProcesses(folder) }, 1)
    return newest ? Math.floor(newest.id / 1_000) : Number.NaN
  } catch {
    return Number.NaN // what cannot be read tells nothing; the next run says that it cannot write
  }
}
