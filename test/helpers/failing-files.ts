/** Lets a file operation of this process fail, as it does when somebody else is in the way. */
import files from 'node:fs'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import type { TestContext } from 'node:test'

/** Removals of paths that contain `part` are refused, as those of a folder into which something still writes. */
export function refuseRemovals(t: TestContext, part: string, code = 'ENOTEMPTY'): { refused: string[]; end(): void } {
  const refused: string[] = []
  const { rm } = fs
  const end = () => {
    fs.rm = rm
    syncBuiltinESMExports()
  }
  fs.rm = async (path, options) => {
    if (!String(path).includes(part)) return rm(path, options)
    refused.push(String(path))
    throw errnoError(code)
  }
  syncBuiltinESMExports()
  t.after(end)
  return { refused, end }
}

/** Renames to this very path are refused, as often as `times` says. */
export function refuseRenames(t: TestContext, target: string, times = 1): void {
  const { rename } = fs
  let refused = 0
  const end = () => {
    fs.rename = rename
    syncBuiltinESMExports()
  }
  fs.rename = async (from, to) => {
    if (to === target && refused++ < times) throw errnoError('EIO')
    return rename(from, to)
  }
  syncBuiltinESMExports()
  t.after(end)
}

/** Looks at paths that contain `part` are refused: nobody can tell whether the file is there. */
export function refuseLooks(t: TestContext, part: string, code = 'EIO'): { end(): void } {
  const module: { statSync: unknown } = files // typed as if it could not be changed
  const { statSync } = files
  const end = () => {
    module.statSync = statSync
    syncBuiltinESMExports()
  }
  module.statSync = (path: string, ...options: []) => {
    if (String(path).includes(part)) throw errnoError(code)
    return statSync(path, ...options)
  }
  syncBuiltinESMExports()
  t.after(end)
  return { end }
}

export function errnoError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: a test says so`), { code })
}
