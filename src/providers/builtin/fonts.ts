/** The fonts that pictures and subtitles are drawn with: our own and those of FONT_DIR, never the system's. */
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { AppError, errnoOf, messageOf } from '../../lib/errors.ts'
import { covers, type Range, readCoverage } from './cmap.ts'

export type Fonts = {
  /** For FONTCONFIG_FILE. */
  configFile: string
  /** The folder beside the work files in which every font is found, as a plain name. */
  folder: string
  covers(codePoint: number): boolean
}

export const FONT_FAMILY = 'DejaVu Sans'
const BUNDLED = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf']
const FONT_FILES = new Set(['.ttf', '.otf', '.ttc'])

/**
 * Lays links to all fonts into `workFolder` and a fontconfig file that knows no others, so that the
 * same text gives the same picture on every machine. Throws `settings` when FONT_DIR cannot be read.
 */
export async function prepareFonts(workFolder: string, fontDir: string | null): Promise<Fonts> {
  const files = [...bundledFonts(), ...(fontDir === null ? [] : await fontsIn(fontDir))]
  const folder = join(workFolder, 'fonts')
  await mkdir(folder, { recursive: true })
  await Promise.all(files.map((file, index) => link(file, join(folder, `${index}-${basename(file)}`))))
  const configFile = join(workFolder, 'fonts.conf')
  await writeFile(configFile, fontConfig(folder))
  // What the first font draws, headlines and subtitles in bold included, the bundled pair draws alike.
  const coverage = await Promise.all(files.filter((file) => basename(file) !== BUNDLED[1]).map(readCoverage))
  return {
    configFile,
    folder: 'fonts',
    covers: (codePoint) => coverage.some((ranges: Range[]) => covers(ranges, codePoint)),
  }
}

function bundledFonts(): string[] {
  const manifest = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')
  return BUNDLED.map((name) => join(dirname(manifest), 'ttf', name))
}

async function fontsIn(fontDir: string): Promise<string[]> {
  try {
    const names = await readdir(fontDir, { recursive: true })
    const fonts = names.filter((name) => FONT_FILES.has(extname(name).toLowerCase()))
    return fonts.sort().map((name) => resolve(fontDir, name))
  } catch (error) {
    throw new AppError('settings', `FONT_DIR cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

async function link(file: string, path: string): Promise<void> {
  try {
    await symlink(file, path)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error // a step before has linked it
  }
}

function fontConfig(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>${xml(folder)}</dir>
  <cachedir>${xml(`${folder}-cache`)}</cachedir>
</fontconfig>
`
}

/** Text that is safe inside XML and Pango markup. */
export function xml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}
