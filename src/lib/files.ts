/** Durable file operations: what these return from has reached the disk. */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError, errnoOf } from './errors.ts'

/** Flushes a folder's entries; a no-op where folders cannot be opened (Windows). */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Beside `path`, unique to this process and call; a kill leaves it there, and its name says whose it was. */
export function tempPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`)
}

const TEMP_NAME = /^\..+\.(\d+)\.[0-9a-f]{8}\.tmp$/

/** Removes the temp files in this folder whose process is dead; what is not one of ours is left alone. */
export async function removeTemps(folder: string, isDead: (pid: number) => boolean): Promise<void> {
  const names = await readdir(folder).catch(() => [] as string[]) // no folder: nothing is in it
  const dead = names.filter((name) => {
    const pid = TEMP_NAME.exec(name)?.[1]
    return pid !== undefined && isDead(Number(pid))
  })
  await Promise.all(dead.map((name) => removeTree(join(folder, name))))
}

/** Replaces `path` by `data` so that readers see the old or the new file, never a torn one. */
export async function writeAtomic(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
  const temp = tempPath(path)
  try {
    await writeSynced(temp, data, mode)
    await rename(temp, path)
  } catch (error) {
    await rm(temp, { force: true }).catch(() => {}) // the first error is the one that matters
    throw error
  }
  await syncFolder(dirname(path))
}

/** Writes a new file and flushes it. */
export async function writeSynced(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
  const handle = await open(path, 'w', mode)
  try {
    await handle.writeFile(data)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Flushes a file that something else wrote. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Appends `text` in one write on an O_APPEND descriptor, so that writers of several processes never
 * interleave. Throws `disk` on a short write; what was written stays, and readers must skip it.
 */
export async function appendOnce(path: string, text: string, sync: boolean): Promise<void> {
  const data = Buffer.from(text)
  const handle = await open(path, 'a', 0o644)
  try {
    const { bytesWritten } = await handle.write(data)
    if (bytesWritten !== data.length)
      throw new AppError('disk', `Only ${bytesWritten} of ${data.length} bytes could be written to ${basename(path)}`)
    if (sync) await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** The parsed JSON of a file, or undefined when it is missing or does not parse. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch (error) {
    if (error instanceof SyntaxError || errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The last bytes of a file as text; empty when it is missing. It may begin in the middle of a line. */
export async function readTail(path: string, bytes: number): Promise<string> {
  try {
    const handle = await open(path, 'r')
    try {
      const { size } = await handle.stat()
      const buffer = Buffer.alloc(Math.min(size, bytes))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length)
      return buffer.toString('utf8', 0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  }
}

/**
 * Removes a folder with all that is in it. False when something is left: a program still writes there, or what it
 * wrote belongs to somebody else (a container's root).
 */
export async function removeTree(path: string): Promise<boolean> {
  return rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 30 }).then(
    () => true,
    () => false, // the caller says who tries again
  )
}

export async function ensureFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true })
  return path
}
