/** Shapes of text for a terminal: tables, sizes, durations, bars. Pure. */
import { stripVTControlCharacters } from 'node:util'
import { printable } from '../lib/columns.ts'

/** Columns padded to their widest cell; colours do not count. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))))
  const line = (row: readonly string[]) => row.map((cell, column) => padded(cell, widths[column] ?? 0)).join('  ')
  return rows.map((row) => line(row).trimEnd()).join('\n')
}

/** A table without colours, whose cells may hold the words of others. */
export function plainTable(rows: readonly (readonly string[])[]): string {
  return textTable(rows.map((row) => row.map(printable)))
}

export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power - 1]}`
}

/** The two largest units, e.g. `3 min 5 s`. */
export function durationText(seconds: number): string {
  const whole = Math.floor(seconds)
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`
}

/** `[████······]  40 %`. */
export function barText(percent: number, width = 24): string {
  const share = Math.min(100, Math.max(0, percent)) / 100
  const full = Math.floor(share * width)
  return `[${'█'.repeat(full)}${'·'.repeat(width - full)}] ${String(Math.floor(share * 100)).padStart(3)} %`
}

function padded(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - widthOf(cell)))
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length
}
