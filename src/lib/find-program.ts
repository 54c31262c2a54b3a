/** Is a program installed? Answered by looking, without starting it. */
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { inheritedEnv } from './exec.ts'

/** The path that `exec` would run for `program` (a name or a path), or undefined when there is none. */
export async function findProgram(program: string): Promise<string | undefined> {
  const folders = (inheritedEnv().PATH ?? '').split(delimiter)
  const paths = program.includes('/') ? [program] : folders.map((folder) => join(folder, program))
  const found = await Promise.all(paths.map(canRun))
  return paths[found.indexOf(true)]
}

async function canRun(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return true
  } catch {
    return false // not there, or not ours to run: both mean no
  }
}
