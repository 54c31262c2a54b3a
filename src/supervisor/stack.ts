/** Where a main thread is: what is asked of it, and its answer made readable. */
import { realpathSync } from 'node:fs'
import { basename, isAbsolute, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { StackTop } from './facts.ts'

/**
 * Evaluated in the process itself, between two of its instructions and in their async context, so that the store of
 * lib/job-scope.ts is the one of the job that runs. Its own frame comes first.
 */
export const READ_STACK = `({
  sites: process.getBuiltinModule('node:util').getCallSites(50),
  scope: globalThis[Symbol.for('showrunner.scope')]?.getStore()?.taskId ?? null,
})`

type Site = { functionName: string; scriptName: string; lineNumber: number; columnNumber: number }

type Answer = { sites?: Site[]; scope?: string | null } | null

/** Frames that are kept as text. */
const FRAMES = 10

/** The innermost frame outside Node, or null when no JavaScript runs. `roots`: folders that files are named from. */
export function topOf(answer: unknown, roots: readonly string[]): StackTop | null {
  const { sites = [], scope = null } = (answer as Answer) ?? {}
  const frames = sites.slice(1)
  const top = frames.find(({ scriptName }) => isOurs(scriptName)) ?? frames[0]
  if (!top) return null
  return {
    function: nameOf(top),
    file: shorten(top.scriptName, roots),
    line: top.lineNumber,
    column: top.columnNumber,
    frames: frames.slice(0, FRAMES).map((frame) => textOf(frame, roots)),
    scope,
  }
}

/** `spin (pipelines/busy.ts:14)`; inside a library also who called it. */
export function describeTop(top: StackTop): string {
  const here = `${top.function} (${top.file}:${top.line})`
  if (!top.file.includes(LIBRARIES)) return here
  const caller = top.frames.find((frame) => !frame.includes(LIBRARIES) && !frame.includes('(node:'))
  return caller ? `${here}, called by ${caller}` : here
}

const LIBRARIES = 'node_modules/'

function isOurs(script: string): boolean {
  return script !== '' && !script.startsWith('node:')
}

function nameOf({ functionName }: Site): string {
  return functionName || '(anonymous)'
}

function textOf(frame: Site, roots: readonly string[]): string {
  return `${nameOf(frame)} (${shorten(frame.scriptName, roots)}:${frame.lineNumber})`
}

/** From the working folder as it is, from another root with that folder's name, else the whole path. */
function shorten(script: string, roots: readonly string[]): string {
  const path = pathOf(script)
  if (!isAbsolute(path)) return path || '(eval)'
  for (const root of roots) {
    const inside = relative(realPath(root), path)
    if (inside.startsWith('..') || isAbsolute(inside)) continue
    return root === process.cwd() ? inside : join(basename(root), inside)
  }
  return path
}

function pathOf(script: string): string {
  if (!script.startsWith('file:')) return script
  try {
    return fileURLToPath(script)
  } catch {
    return script // on another host, or with an encoded slash: it names no file here
  }
}

/** Modules are known by their real paths. */
function realPath(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return folder // it is gone; then no file is inside it either
  }
}
