/** Thousands of finished projects: one that the program really made, copied under new ids. */
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { uuidv7 } from '../../src/lib/ids.ts'
import { mapLimit } from '../../src/lib/map-limit.ts'
import { dataLayout } from '../../src/project/layout.ts'
import { decodeRecord, encodeRecord, type JournalRecord } from '../../src/project/records.ts'

/** Gives the ids of the copies. `id` must have ended and be in the catalog of that data folder. */
export async function cloneProject(dataDir: string, id: string, count: number): Promise<string[]> {
  const layout = dataLayout(dataDir)
  const template = await readTemplate(join(layout.projects, id))
  const line = (await readFile(layout.catalog, 'utf8')).split('\n').findLast((text) => text.includes(id))
  if (line === undefined) throw new Error(`${id} is not in the catalog`)
  const now = Date.now()
  const ids = Array.from({ length: count }, (_, i) => uuidv7(now - i * 1_000))
  await mapLimit(ids, 16, async (copy) => {
    const folder = join(layout.projects, copy)
    for (const path of template.folders) await mkdir(join(folder, path), { recursive: true })
    for (const file of template.files) await writeFile(join(folder, file.path), renamed(file, id, copy))
  })
  await appendFile(layout.catalog, ids.map((copy) => `${line.replaceAll(id, copy)}\n`).join(''))
  return ids
}

type TemplateFile = { path: string; text: string }

async function readTemplate(folder: string): Promise<{ folders: string[]; files: TemplateFile[] }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const pathOf = (entry: (typeof entries)[number]) => join(entry.parentPath, entry.name).slice(folder.length + 1)
  const folders = ['', ...entries.filter((entry) => entry.isDirectory()).map(pathOf)]
  const paths = entries.filter((entry) => entry.isFile()).map(pathOf)
  const files = await Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(join(folder, path), 'utf8') })),
  )
  return { folders, files }
}

/** A journal's lines carry checksums: they are written anew. */
function renamed({ path, text }: TemplateFile, from: string, to: string): string {
  if (path !== 'journal.ndjson') return text.replaceAll(from, to)
  const records = text.split('\n').flatMap((line) => decodeRecord(line) ?? [])
  return records.map((r) => encodeRecord(JSON.parse(JSON.stringify(r).replaceAll(from, to)) as JournalRecord)).join('')
}
