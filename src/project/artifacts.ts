/** Files of a project: named by their content's hash, whole and on disk before anybody speaks of them. */
import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { rename, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { AppError, errnoOf, messageOf } from '../lib/errors.ts'
import { ensureFolder, syncFile, syncFolder } from '../lib/files.ts'
import type { Folded } from './folded.ts'
import type { ProjectLayout } from './layout.ts'
import type { ArtifactState, StageState } from './project.ts'

export const ARTIFACT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/**
 * Moves a finished file to its place under `artifacts/`: hashed, flushed, renamed, folder flushed.
 * Nothing counts until a record names it, and equal content has an equal name.
 */
export async function placeArtifact(
  paths: ProjectLayout,
  name: string,
  source: string,
): Promise<{ file: string; bytes: number; sha256: string }> {
  if (!ARTIFACT_NAME.test(name)) throw new AppError('invalid_value', `"${name}" is not a file name that can be used`)
  const sha256 = await hashFile(source)
  const { size: bytes } = await stat(source)
  await syncFile(source)
  const file = fileName(name, sha256)
  await ensureFolder(paths.artifacts)
  await rename(source, join(paths.artifacts, file))
  await syncFolder(paths.artifacts)
  return { file, bytes, sha256 }
}

/** `video.mp4` → `video.3f2a90c1d4e5.mp4` */
function fileName(name: string, sha256: string): string {
  const extension = extname(name)
  return `${name.slice(0, name.length - extension.length)}.${sha256.slice(0, 12)}${extension}`
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** Where an artifact lies. Throws `not_found` for an unknown name, `artifact_missing` for a lost file, and `disk`. */
export function artifactPath(paths: ProjectLayout, folded: Folded, name: string): string {
  const artifact = folded.state.artifacts.find((a) => a.name === name)
  if (!artifact) throw new AppError('not_found', `This project has no file ${name}`)
  if (!isWhole(paths, artifact)) throw missing(name)
  return join(paths.artifacts, artifact.file)
}

/**
 * Present with the size that was recorded; the hash is checked where a file is used up, not here. Throws `disk` when the
 * disk refuses the look: that says nothing of the file, and work that is done must not be done again for it.
 */
export function isWhole(paths: ProjectLayout, artifact: ArtifactState): boolean {
  try {
    return statSync(join(paths.artifacts, artifact.file)).size === artifact.bytes
  } catch (error) {
    if (isGone(error)) return false
    throw unreadable(artifact.name, error)
  }
}

/** True for the two errors that say that there is no such file; all others only say that the disk does not tell. */
export function isGone(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR'
}

/** For what went wrong with a file's reading. */
export function unreadable(name: string, cause: unknown): AppError {
  if (isGone(cause)) return missing(name, cause)
  return new AppError('disk', `${name} cannot be read now: ${messageOf(cause)}`, { cause })
}

function missing(name: string, cause?: unknown): AppError {
  return new AppError('artifact_missing', `${name} is gone from the disk; resume makes it again`, { cause })
}

/** Names of a completed stage's files that are no longer there. Throws `disk`, as above. */
export function missingArtifacts(paths: ProjectLayout, folded: Folded, stage: StageState): string[] {
  const files = folded.state.artifacts.filter((a) => a.stage === stage.name)
  return files.filter((a) => !isWhole(paths, a)).map((a) => a.name)
}
