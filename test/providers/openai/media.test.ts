/** Scripts, pictures, narration and transcripts by models. */
import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import sharp from 'sharp'
import { parseWav } from '../../../src/providers/builtin/wav.ts'
import { piecesOf } from '../../../src/providers/openai/speech.ts'
import type { Work } from '../../../src/providers/provider.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { memoryLedger, openRig } from './calls.ts'

const SCENE = { headline: 'Dawn', label: '1 / 2', scene: 'The sun rises over a harbour.' }

async function workOf(t: TestContext): Promise<Work> {
  return { folder: await tempFolder(t), signal: new AbortController().signal, nice: 0, requestKey: 'stage' }
}

test('a model writes a script in the shape of a film', async (t) => {
  const { script } = await openRig(t)
  const made = await script!.write({ text: 'A text.', title: 'My title', targetS: 30 }, await workOf(t))
  assert.deepEqual(
    [made.title, made.provider, made.model, made.language],
    ['My title', 'openai-compatible', 'test-model', 'en'],
  )
  assert.deepEqual(
    made.shots.map((shot) => shot.name),
    ['shot-001', 'shot-002'],
  )
  assert.deepEqual(made.shots.flatMap((shot) => shot.lines.map((line) => line.name)).slice(-1), ['line-004'])
  assert.equal(made.usage?.input_tokens, 100)
})

test('a model that writes no script fails the stage', async (t) => {
  const { script, server } = await openRig(t)
  server.behaviour.always = { kind: 'answer', text: 'A film? Gladly!' }
  await assert.rejects(script!.write({ text: 'A text.', title: null, targetS: 30 }, await workOf(t)), {
    code: 'invalid_output',
  })
})

test('a picture has the wished size and format, and is paid for once', async (t) => {
  const { ledger } = memoryLedger()
  const { images, server } = await openRig(t, { ledger })
  const work = await workOf(t)
  await using artist = await images!.open(work)
  const brief = { ...SCENE, width: 640, height: 360, path: join(work.folder, 'a.png'), format: 'png' as const }
  const made = await artist.draw(brief)
  await artist.draw(brief)
  await artist.draw({ ...brief, path: join(work.folder, 'b.part.jpg'), format: 'jpeg' })
  assert.deepEqual([made.model, made.usage?.output_tokens], ['test-model', 100])
  for (const [name, format] of [
    ['a.png', 'png'],
    ['b.part.jpg', 'jpeg'],
  ] as const) {
    const facts = await sharp(join(work.folder, name)).metadata()
    assert.deepEqual([facts.width, facts.height, facts.format], [640, 360, format])
  }
  assert.deepEqual((await readdir(work.folder)).sort(), ['a.png', 'b.part.jpg'])
  assert.equal(server.calls.length, 2)
  assert.match(server.calls[0]!.body.prompt, /harbour[\s\S]*"Dawn"/)
})

test('a picture that is refused fails with its class', async (t) => {
  const { images, server } = await openRig(t)
  const work = await workOf(t)
  server.behaviour.faults = [{ kind: 'moderation' }]
  await using artist = await images!.open(work)
  const path = join(work.folder, 'a.png')
  const drawing = artist.draw({ ...SCENE, width: 64, height: 64, path, format: 'png' })
  await assert.rejects(drawing, { code: 'rejected', retryable: false })
})

test('narration is mono WAV of the real length, also of a long text', async (t) => {
  const { speech, server } = await openRig(t)
  const work = await workOf(t)
  const narrator = await speech!.open({ voice: null, language: 'en', writing: 'Latin' }, work)
  const path = join(work.folder, 'line.wav')
  const text = 'A sentence of thirty characters. '.repeat(150).trim()
  const { durationS, audible } = await narrator.speak(text, path)
  const wav = parseWav(await readFile(path), 'line')
  assert.equal(durationS, wav.samples.length / wav.sampleRate)
  assert.ok(Math.abs(durationS - text.length / 15) < 0.5, `${durationS} s`)
  assert.ok(audible)
  assert.deepEqual(
    server.calls.map(({ body }) => body.voice),
    ['alloy', 'alloy'],
  )
  assert.deepEqual(await readdir(work.folder), ['line.wav'])
})

test('what is late or no picture fails with its class, and is asked for again', async (t) => {
  const { ledger, raws } = memoryLedger()
  const { images, speech, server } = await openRig(t, { ledger, limits: { wholeMs: 1_500 } })
  const work = await workOf(t)
  await using artist = await images!.open(work)
  const narrator = await speech!.open({ voice: null, language: 'en', writing: 'Latin' }, work)
  const draw = () =>
    artist.draw({ ...SCENE, width: 64, height: 64, path: join(work.folder, 'a.png'), format: 'png' as const })
  server.behaviour.faults = [
    { kind: 'slow_first_byte', ms: 4_000 },
    { kind: 'slow_first_byte', ms: 4_000 },
  ]
  const late = { code: 'provider_failed', retryable: true }
  await assert.rejects(draw(), late)
  await assert.rejects(narrator.speak('Hello.', join(work.folder, 'a.wav')), late)
  server.behaviour.faults = [{ kind: 'not_a_picture' }]
  await assert.rejects(draw(), { code: 'program_failed' })
  assert.equal(raws.size, 0)
  assert.equal((await draw()).model, 'test-model')
})

test('a paid picture is kept when it is this machine that fails', async (t) => {
  const { ledger, raws } = memoryLedger()
  const { images } = await openRig(t, { ledger, ffmpegPath: '/nowhere/ffmpeg' })
  const work = await workOf(t)
  await using artist = await images!.open(work)
  const path = join(work.folder, 'a.png')
  const drawing = artist.draw({ ...SCENE, width: 64, height: 64, path, format: 'png' })
  await assert.rejects(drawing, { code: 'missing_program' })
  assert.equal(raws.size, 1)
})

test('a long text is cut after sentences, words, and never inside a character', () => {
  assert.deepEqual(piecesOf('One. Two three.', 9), ['One.', 'Two', 'three.'])
  assert.deepEqual(piecesOf('aaaa bbbb', 6), ['aaaa', 'bbbb'])
  assert.deepEqual(piecesOf('一二。三四', 4), ['一二。', '三四'])
  assert.deepEqual(piecesOf('🌙🌙🌙', 3), ['🌙', '🌙', '🌙'])
})

test('a transcript has words where the model tells them', async (t) => {
  const { transcribe } = await openRig(t)
  const work = await workOf(t)
  const path = join(work.folder, 'a.wav')
  await writeFile(path, 'RIFF')
  const { text, words, usage } = await transcribe!.transcribe(path, work)
  assert.equal(text, 'two words')
  assert.deepEqual(words?.[1], { text: 'words', startS: 0.5, endS: 1 })
  assert.equal(usage?.cost_usd, 0.0001)
})
