/** Which characters a font can draw: the `cmap` table of TrueType and OpenType (ISO/IEC 14496-22, 5.2.1). */
import { type FileHandle, open } from 'node:fs/promises'
import { AppError } from '../../lib/errors.ts'

/** Code points from `first` to `last`, both included; ranges are sorted and do not overlap. */
export type Range = readonly [first: number, last: number]

/** Reads only the table, not the font. Throws `invalid_value` when the file is not a font that we can read. */
export async function readCoverage(path: string): Promise<Range[]> {
  const file = await open(path, 'r')
  try {
    return parseCmap(await readCmapTable(file))
  } catch (error) {
    throw new AppError('invalid_value', `${path} is not a TrueType or OpenType font that can be read`, { cause: error })
  } finally {
    await file.close()
  }
}

export function covers(ranges: readonly Range[], codePoint: number): boolean {
  let low = 0
  let high = ranges.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const [first, last] = ranges[middle]!
    if (codePoint < first) high = middle - 1
    else if (codePoint > last) low = middle + 1
    else return true
  }
  return false
}

/** The ranges of the best Unicode subtable; out-of-range reads throw a RangeError. */
export function parseCmap(table: DataView): Range[] {
  const offsets = Array.from({ length: table.getUint16(2) }, (_, i) => table.getUint32(4 + 8 * i + 4))
  const offsetOf = (format: number) => offsets.find((offset) => table.getUint16(offset) === format)
  const wide = offsetOf(12)
  if (wide !== undefined) return parseFormat12(table, wide)
  const basic = offsetOf(4)
  if (basic !== undefined) return parseFormat4(table, basic)
  throw new RangeError('no cmap subtable of format 4 or 12')
}

async function readCmapTable(file: FileHandle): Promise<DataView> {
  const start = await view(file, 0, 16)
  // A collection (.ttc) starts with a list of fonts; the first one stands for all.
  const base = start.getUint32(0) === 0x74746366 ? start.getUint32(12) : 0
  const count = (await view(file, base, 12)).getUint16(4)
  const directory = await view(file, base + 12, 16 * count)
  for (let i = 0; i < count; i++) {
    if (directory.getUint32(16 * i) === 0x636d6170)
      return view(file, directory.getUint32(16 * i + 8), directory.getUint32(16 * i + 12))
  }
  throw new RangeError('no cmap table')
}

async function view(file: FileHandle, position: number, length: number): Promise<DataView> {
  if (length > 16 * 1024 * 1024) throw new RangeError('table too large')
  const bytes = new Uint8Array(length)
  const { bytesRead } = await file.read(bytes, 0, length, position)
  return new DataView(bytes.buffer, 0, bytesRead)
}

function parseFormat12(table: DataView, offset: number): Range[] {
  const ranges: Range[] = []
  for (let i = 0, group = offset + 16; i < table.getUint32(offset + 12); i++, group += 12)
    ranges.push([table.getUint32(group), table.getUint32(group + 4)])
  return ranges
}

function parseFormat4(table: DataView, offset: number): Range[] {
  const size = table.getUint16(offset + 6) // twice the number of segments
  const ends = offset + 14
  const starts = ends + size + 2
  const ranges: Range[] = []
  for (let i = 0; i < size; i += 2) {
    const first = table.getUint16(starts + i)
    const last = table.getUint16(ends + i)
    const glyphs = table.getUint16(starts + 2 * size + i)
    if (glyphs === 0) ranges.push([first, Math.min(last, 0xfffe)])
    else
      for (let c = first; c <= last; c++)
        if (table.getUint16(starts + 2 * size + i + glyphs + 2 * (c - first))) ranges.push([c, c])
  }
  return ranges.filter(([first, last]) => first <= last)
}
