/** Cards: real pictures of the right size, the same for the same words, never boxes; and the child that draws them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { findByEnvironment } from '../../../src/lib/process-tree.ts'
import { until } from '../../../src/lib/until.ts'
import { createImages } from '../../../src/providers/builtin/builtin.ts'
import { openTool } from '../../../src/providers/builtin/tool-client.ts'
import type { PictureBrief, Work } from '../../../src/providers/provider.ts'
import { startWatch } from '../../helpers/stopwatch.ts'
import { openWorkFolder } from '../../helpers/work-folder.ts'

const images = createImages(null)
const CARD = {
  format: 'png',
  width: 640,
  height: 360,
  headline: 'The old mill',
  label: '1 / 2',
  scene: 'The river ran by the mill.',
} as const

async function draw(work: Work, change: Partial<PictureBrief> = {}) {
  await using artist = await images.open(work)
  const brief = { ...CARD, path: join(work.folder, 'card'), ...change }
  const by = await artist.draw(brief)
  return { by, bytes: readFileSync(brief.path) }
}

test('same words, same bytes; other words, another picture', async (t) => {
  const work = openWorkFolder(t)
  const first = await draw(work)
  const again = await draw(openWorkFolder(t))
  assert.ok(first.bytes.equals(again.bytes))
  assert.deepEqual(first.by, { provider: 'builtin', model: null, degraded: [] })
  assert.ok(!first.bytes.equals((await draw(work, { headline: 'The new mill' })).bytes))
  assert.ok(!first.bytes.equals((await draw(work, { scene: 'The dark forest.' })).bytes))
  const { width, height, format } = await sharp(first.bytes).metadata()
  assert.deepEqual({ width, height, format }, { width: 640, height: 360, format: 'png' })
})

for (const [name, change] of [
  [
    'a long headline',
    { headline: 'Considerations on the extraordinary circumstances of an unprecedented expedition '.repeat(3) },
  ],
  ['one endless word', { headline: 'x'.repeat(300) }],
  ['an upright frame', { width: 202, height: 360 }],
  ['markup in the words', { headline: '<b>&amp; "quotes" \' </svg>', scene: '</svg><script>&' }],
  ['no words', { headline: '', label: '', scene: '' }],
  ['Arabic', { headline: 'كان يا ما كان' }],
] as const)
  test(`${name} fits its picture`, async (t) => {
    const { bytes } = await draw(openWorkFolder(t), change)
    const { width, height } = await sharp(bytes).metadata()
    assert.deepEqual({ width, height }, { width: 'width' in change ? 202 : 640, height: 360 })
    const { channels } = await sharp(bytes).stats()
    assert.ok(
      channels.some((channel) => channel.stdev > 4),
      'it is not blank',
    )
  })

test('words without a font are left out, and it is said', async (t) => {
  const work = openWorkFolder(t)
  const han = await draw(work, { headline: '国王' })
  const none = await draw(work, { headline: '' })
  assert.deepEqual(han.by.degraded, ['text in Han script is not drawn: no font for it (set FONT_DIR)'])
  assert.ok(han.bytes.equals(none.bytes))
})

test('the text is drawn by the bundled font, not by boxes', async (t) => {
  const work = openWorkFolder(t)
  // Two words of equal length in letters: boxes would look alike, letters do not.
  const [a, b] = await Promise.all([
    draw(work, { headline: 'illli', path: join(work.folder, 'a') }),
    draw(work, { headline: 'WMWMW', path: join(work.folder, 'b') }),
  ])
  const lit = async (bytes: Buffer) =>
    (await sharp(bytes).greyscale().threshold(254).raw().toBuffer()).filter((v) => v === 255).length
  assert.ok((await lit(b.bytes)) > 1.5 * (await lit(a.bytes)))
})

const mark = (name: string) => ({ SHOWRUNNER_TEST_MARK: `${name}-${process.pid}` })
const marked = (name: string) => findByEnvironment('SHOWRUNNER_TEST_MARK', `${name}-${process.pid}`)

test('the child starts on first use, serves many calls and ends when disposed', async (t) => {
  const tool = openTool(openWorkFolder(t), mark('dispose'))
  assert.deepEqual(await marked('dispose'), [])
  const scripts = await Promise.all(
    ['One.', 'Two.', 'a\u2028b\u2029c.'].map((text) => tool.call('write_script', { text, title: null, targetS: 20 })),
  )
  assert.deepEqual(
    scripts.map((s) => s.shots[0]!.lines[0]!.text),
    ['One.', 'Two.', 'a b c.'],
  )
  assert.equal((await marked('dispose')).length, 1)
  await tool[Symbol.asyncDispose]()
  assert.deepEqual(await marked('dispose'), [])
})

test('abort ends the child at once, and callers get the reason', { timeout: 60_000 }, async (t) => {
  const abort = new AbortController()
  await using tool = openTool(openWorkFolder(t, abort.signal), mark('abort'))
  const call = tool.call('write_script', { text: 'The king was here. '.repeat(10_000), title: null, targetS: 60 })
  call.catch(() => {}) // asserted below
  await until(async () => (await marked('abort')).length > 0, { timeoutMs: 20_000 })
  const watch = startWatch()
  abort.abort(new Error('enough'))
  await assert.rejects(call, /enough/)
  watch.assertBelow(2_000)
  assert.deepEqual(await marked('abort'), [])
})

test('a child that dies fails its calls, and the next call gets a new one', { timeout: 60_000 }, async (t) => {
  await using tool = openTool(openWorkFolder(t), mark('death'))
  const brief = { text: 'One.', title: null, targetS: 20 }
  const call = tool.call('write_script', { ...brief, text: 'The king was here. '.repeat(10_000) })
  call.catch(() => {}) // asserted below
  const pid = await until(async () => (await marked('death'))[0], { timeoutMs: 20_000 })
  process.kill(pid, 'SIGKILL')
  await assert.rejects(call, { code: 'program_failed', retryable: true })
  assert.equal((await tool.call('write_script', brief)).shots.length, 1)
})

test('an error in the child keeps its sentence', async (t) => {
  await using artist = await images.open(openWorkFolder(t))
  const drawing = artist.draw({ ...CARD, path: '/nowhere/card.png' })
  await assert.rejects(drawing, { code: 'internal', message: /ENOENT.*nowhere/ })
})
