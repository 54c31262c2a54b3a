/** Lays committed files under plain names into `published/<id>/`. */
import { copyFile, link, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError, errnoOf } from '../lib/errors.ts'
import { ensureFolder, removeTree, syncFile, syncFolder } from '../lib/files.ts'
import { ARTIFACT_NAME, artifactPath } from '../project/artifacts.ts'
import type { Attempt } from '../project/attempt.ts'
import { exists } from '../project/markers.ts'
import type { Publication } from './define.ts'

/**
 * The record comes first (only the claim that stands can write it), then the folder is built beside its place and
 * swapped in. After a crash the stage runs again; until then the old folder is there, except when the crash came
 * between the two renames: then it is put back first.
 */
export async function publishFiles(attempt: Attempt, files: Publication[]): Promise<{ folder: string }> {
  const { paths } = attempt.project
  for (const { name } of files)
    if (!ARTIFACT_NAME.test(name)) throw new AppError('invalid_value', `"${name}" is not a file name that can be used`)
  await attempt.published(files.map((f) => f.name))
  await putBack(paths.published)
  await removeLeftovers(paths.published)
  const next = `${paths.published}.${attempt.fence.slice(0, 8)}.next`
  await ensureFolder(next)
  try {
    for (const file of files) await lay(attempt, next, file)
    await syncFolder(next)
    if (!attempt.isCurrent()) throw new AppError('superseded', 'This attempt no longer owns its stage')
    await swap(next, paths.published)
  } catch (error) {
    await removeTree(next) // nobody comes here again if the project was deleted
    throw error
  }
  return { folder: paths.published }
}

const OLD = '.old'

/** Such a folder without one in its place: of the two renames, only the first was done. */
async function putBack(place: string): Promise<void> {
  if (await exists(place)) return
  const [old] = (await namesBeside(place)).filter((name) => name.endsWith(OLD))
  if (old !== undefined) await rename(join(dirname(place), old), place)
}

/** Attempts that were killed on their way leave folders beside the place; no id has a dot. */
async function removeLeftovers(place: string): Promise<void> {
  const names = await namesBeside(place)
  await Promise.all(names.map((name) => rm(join(dirname(place), name), { recursive: true, force: true })))
}

async function namesBeside(place: string): Promise<string[]> {
  const folder = await ensureFolder(dirname(place))
  return (await readdir(folder)).filter((name) => name.startsWith(`${basename(place)}.`))
}

async function lay(attempt: Attempt, folder: string, file: Publication): Promise<void> {
  const target = join(folder, file.name)
  if ('data' in file) await writeFile(target, file.data)
  else await linkOrCopy(artifactPath(attempt.project.paths, attempt.project.read(), file.artifact), target)
  await syncFile(target)
}

/** A link costs no space; file systems without links, and limits on them, get a copy. */
async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    await link(source, target)
  } catch (error) {
    if (!['EPERM', 'EXDEV', 'ENOTSUP', 'EMLINK'].includes(errnoOf(error) ?? '')) throw error
    await copyFile(source, target)
  }
}

async function swap(next: string, place: string): Promise<void> {
  const old = `${next}${OLD}`
  await rename(place, old).catch((error) => {
    if (errnoOf(error) !== 'ENOENT') throw error
  })
  try {
    await rename(next, place)
  } catch (error) {
    await rename(old, place).catch(() => {}) // there was none; the first error is the one that matters
    throw error
  }
  await syncFolder(dirname(place))
  await rm(old, { recursive: true, force: true })
}
