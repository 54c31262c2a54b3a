/** What can be drawn is known before it is drawn. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { covers, parseCmap, readCoverage } from '../../../src/providers/builtin/cmap.ts'
import { drawable, notDrawn } from '../../../src/providers/builtin/drawable.ts'
import { prepareFonts } from '../../../src/providers/builtin/fonts.ts'
import { openWorkFolder } from '../../helpers/work-folder.ts'

const TTF = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf')
const has = (ranges: Awaited<ReturnType<typeof readCoverage>>, text: string) => covers(ranges, text.codePointAt(0)!)

test('reads which characters a font draws', async () => {
  const ranges = await readCoverage(join(TTF, 'DejaVuSans.ttf'))
  for (const c of ['A', 'z', 'é', 'Ж', 'Ω', 'ש', 'ع', 'Ա', 'ა', '—', '·']) assert.ok(has(ranges, c), c)
  for (const c of ['王', 'か', '한', 'ก', 'अ', '🎉']) assert.ok(!has(ranges, c), c)
})

test('format 4 by its segments, with gaps inside a segment', () => {
  // One subtable of format 4: 'A' to 'C' through a glyph array in which 'B' has no glyph; then the closing segment.
  const words = [0, 1, 3, 1, 0, 12, 4, 38, 0, 4, 0, 0, 0, 0x43, 0xffff, 0, 0x41, 0xffff, 0, 1, 4, 0, 7, 0, 8]
  const view = new DataView(new ArrayBuffer(words.length * 2))
  for (const [i, word] of words.entries()) view.setUint16(2 * i, word)
  assert.deepEqual(parseCmap(view), [
    [0x41, 0x41],
    [0x43, 0x43],
  ])
})

test('a file that is no font is refused by name', async (t) => {
  const { folder } = openWorkFolder(t)
  writeFileSync(join(folder, 'x.ttf'), 'not a font')
  await assert.rejects(readCoverage(join(folder, 'x.ttf')), {
    code: 'invalid_value',
    message: /x\.ttf is not a TrueType/,
  })
})

test('fonts of FONT_DIR add to the bundled ones', async (t) => {
  const { folder } = openWorkFolder(t)
  const extra = join(folder, 'extra')
  mkdirSync(join(extra, 'deeper'), { recursive: true })
  copyFileSync(join(TTF, 'DejaVuMathTeXGyre.ttf'), join(extra, 'deeper', 'Math.TTF'))
  const own = await readCoverage(join(TTF, 'DejaVuSans.ttf'))
  const more = (await readCoverage(join(TTF, 'DejaVuMathTeXGyre.ttf'))).find(([first]) => !covers(own, first))![0]
  const both = await prepareFonts(join(folder, 'b'), extra)
  assert.equal(both.covers(more), true)
  assert.equal((await prepareFonts(join(folder, 'b'), null)).covers(more), false)
  assert.equal(readdirSync(join(folder, 'b', both.folder)).length, 3)
})

test('a FONT_DIR that is not there is a settings error', async (t) => {
  const { folder } = openWorkFolder(t)
  await assert.rejects(prepareFonts(folder, join(folder, 'nowhere')), { code: 'settings', message: /FONT_DIR/ })
})

test('missing letters leave the text out, missing signs only themselves', () => {
  const latin = (codePoint: number) => codePoint < 0x250
  assert.deepEqual(drawable('Hello you', latin), { text: 'Hello you', missing: [] })
  assert.deepEqual(drawable('Hello 🎉 you', latin), { text: 'Hello you', missing: [] })
  assert.deepEqual(drawable('Hello 👩‍👩‍👧️', latin), { text: 'Hello', missing: [] })
  assert.deepEqual(drawable('国王 and กา', latin), { text: null, missing: ['Han', 'Thai'] })
  assert.deepEqual(drawable('𐌰', latin), { text: null, missing: ['another'] })
})

test('what is left out is said in words', () => {
  assert.deepEqual(notDrawn([]), [])
  assert.deepEqual(notDrawn(['Thai', 'Han', 'Han']), [
    'text in Han, Thai script is not drawn: no font for it (set FONT_DIR)',
  ])
})
