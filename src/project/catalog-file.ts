/** The catalog's memory on disk: one line per project that has ended; it only saves reading folders. */
import { appendFile, readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { writeAtomic } from '../lib/files.ts'
import type { ProjectSummary } from './project.ts'

/** A line of the file: a summary, or the id of a project that was deleted. */
export type CatalogLine = ProjectSummary | { id: string; deleted: true }

export type CatalogFile = {
  read(): Promise<CatalogLine[]>
  append(lines: CatalogLine[]): Promise<void>
  replace(lines: CatalogLine[]): Promise<void>
}

/** Lines parsed in one go; with thousands of them, requests are answered in between. */
const PARSE_AT_ONCE = 500

/** Neither reading nor writing throws: without it the folders are read, now or at the next start. */
export function createCatalogFile(path: string): CatalogFile {
  return {
    read: () => readLines(path),
    append: (lines) => appendFile(path, textOf(lines)).catch(() => {}),
    replace: (lines) => writeAtomic(path, textOf(lines)).catch(() => {}),
  }
}

async function readLines(path: string): Promise<CatalogLine[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const lines: CatalogLine[] = []
  for (const [i, line] of text.split('\n').entries()) {
    lines.push(...parseLine(line))
    if (i % PARSE_AT_ONCE === 0) await setImmediate()
  }
  return lines
}

function textOf(lines: CatalogLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

/** A torn last line is no loss: the project's own folder has it all. */
function parseLine(line: string): CatalogLine[] {
  try {
    const parsed = JSON.parse(line) as CatalogLine
    return typeof parsed.id === 'string' ? [parsed] : []
  } catch {
    return []
  }
}
