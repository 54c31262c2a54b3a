/** The files of a rotating log: their names, how one is opened, how they make room, and writes that are whole. */
import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync, renameSync, write, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from './errors.ts'

/** `size` is where the next write goes. */
export type Segment = { fd: number; size: number }

/** The paths of a log, newest first. */
export function segmentPaths(path: string, files: number): string[] {
  const stem = path.replace(/\.[^./]+$/, '')
  return Array.from({ length: files }, (_, age) => (age === 0 ? path : `${stem}.${age}${path.slice(stem.length)}`))
}

const NEWLINE = 10

/** What a crash left without its end gets one, so that the next line is a line of its own. */
export function openSegment(path: string): Segment {
  mkdirSync(dirname(path), { recursive: true })
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o640)
  try {
    return { fd, size: endWithNewline(fd) }
  } catch (error) {
    closeQuietly(fd)
    throw error
  }
}

function endWithNewline(fd: number): number {
  const { size } = fstatSync(fd)
  const last = Buffer.alloc(1)
  if (size === 0 || (readSync(fd, last, 0, 1, size - 1) === 1 && last[0] === NEWLINE)) return size
  writeSync(fd, '\n', size)
  return size + 1
}

export function shiftSegments(newestFirst: string[]): void {
  for (let age = newestFirst.length - 1; age > 0; age--) {
    try {
      renameSync(newestFirst[age - 1]!, newestFirst[age]!)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error // not so many yet, or somebody has removed it
    }
  }
}

export type Piece = { data: Buffer; at: number }

/** A full disk takes a part first, and says so at the next try. */
export function writeAll(fd: number, { data, at }: Piece, done: (error: Error | null) => void): void {
  write(fd, data, 0, data.length, at, (error, written) => {
    if (error) done(error)
    else if (written < data.length) writeAll(fd, { data: data.subarray(written), at: at + written }, done)
    else done(null)
  })
}

/** The same before it returns; throws what the disk says. */
export function writeAllSync(fd: number, { data, at }: Piece): void {
  for (let written = 0; written < data.length; )
    written += writeSync(fd, data, written, data.length - written, at + written)
}

export function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // Its writes have been reported one by one.
  }
}
