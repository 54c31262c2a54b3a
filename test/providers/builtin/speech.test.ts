/** Narration: real sound from the installed program and from its WebAssembly build, honest silence without both. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSpeech, findEngine, type SpeechEngine } from '../../../src/providers/builtin/speech.ts'
import { hasVoice, parseVoices, voiceFor } from '../../../src/providers/builtin/voices.ts'
import { loudnessOf, parseWav, silence, writeTrack, writeWav } from '../../../src/providers/builtin/wav.ts'
import type { VoiceWish } from '../../../src/providers/provider.ts'
import { openWorkFolder } from '../../helpers/work-folder.ts'

const ENGLISH: VoiceWish = { voice: null, language: 'en', writing: 'Latin' }
const speechBy = (engine: SpeechEngine) => createSpeech(async () => engine)

for (const engine of ['espeak-ng', 'espeak-ng (wasm)'] as const)
  test(`${engine} speaks`, { timeout: 30_000 }, async (t) => {
    const work = openWorkFolder(t)
    const narrator = await speechBy(engine).open(ENGLISH, work)
    assert.deepEqual([narrator.engine, narrator.voice, narrator.silent], [engine, 'en', false])
    const path = join(work.folder, 'line.wav')
    const spoken = await narrator.speak('The old man walked to the sea.', path)
    const wav = parseWav(readFileSync(path), 'line.wav')
    assert.ok(loudnessOf(wav.samples) > 0.02)
    assert.equal(spoken.durationS, wav.samples.length / wav.sampleRate)
    assert.ok(spoken.audible && spoken.durationS > 1 && spoken.durationS < 4)
    const longer = await narrator.speak('The old man walked to the sea, and then he walked all the way home.', path)
    assert.ok(longer.durationS > spoken.durationS * 1.5)
    await assert.rejects(speechBy(engine).open({ ...ENGLISH, voice: 'nobody' }, work), {
      code: 'invalid_value',
      message: /"nobody"/,
    })
  })

test('words that look like options, phonemes or markup are only words', async (t) => {
  const work = openWorkFolder(t)
  const narrator = await createSpeech().open(ENGLISH, work)
  for (const text of ['--help', '-w /tmp/showrunner-evil.wav', '[[hello]] there', '<speak>hi</speak>', '$(id) `id`'])
    assert.ok((await narrator.speak(text, join(work.folder, 'line.wav'))).audible, text)
})

test('what cannot be said is timed silence, and is marked', async (t) => {
  const work = openWorkFolder(t)
  const narrator = await createSpeech().open(ENGLISH, work)
  const path = join(work.folder, 'line.wav')
  const spoken = await narrator.speak('—', path)
  assert.equal(spoken.audible, false)
  assert.ok(spoken.durationS >= 0.8)
  assert.equal(loudnessOf(parseWav(readFileSync(path), 'x').samples), 0)
})

test('without a program there is silence of the right length, and it is said', async (t) => {
  const work = openWorkFolder(t)
  const narrator = await speechBy('silence').open(ENGLISH, work)
  assert.equal(narrator.silent, true)
  assert.match(narrator.provenance.degraded.join(), /timed silence: no speech program/)
  const short = await narrator.speak('One.', join(work.folder, 'a.wav'))
  const long = await narrator.speak('One and two and three and four and five and six.', join(work.folder, 'b.wav'))
  assert.ok(long.durationS > short.durationS)
})

test('a script without a voice is silent, and it is said', async (t) => {
  const narrator = await createSpeech().open({ voice: null, language: 'xx', writing: 'Gothic' }, openWorkFolder(t))
  assert.equal(narrator.silent, true)
  assert.match(narrator.provenance.degraded.join(), /no voice for xx \(Gothic script\)/)
})

test('this machine has an engine', async () => assert.notEqual(await findEngine(), 'silence'))

const LISTING = `Pty Language       Age/Gender VoiceName          File                 Other Languages
 5  cmn             --/M      Chinese_(Mandarin,_latin_as_English) sit/cmn (zh-cmn 5)(zh 5)
 2  en-gb           --/M      English_(Great_Britain) gmw/en  (en 2)
 5  de              --/M      German             gmw/de
`
test('voices by language, name, file and other names', () => {
  const voices = parseVoices(LISTING)
  for (const name of ['de', 'German', 'gmw/de', 'de+f3', 'zh', 'EN-GB']) assert.ok(hasVoice(voices, name), name)
  assert.ok(!hasVoice(voices, 'fr'))
  assert.equal(voiceFor(voices, 'zh', 'Han'), 'cmn')
  assert.equal(voiceFor(voices, 'de', 'Latin'), 'de')
  assert.equal(voiceFor(voices, 'fr', 'Latin'), 'en')
  assert.equal(voiceFor(voices, 'und', 'Latin'), 'en')
  assert.equal(voiceFor(voices, 'ru', 'Cyrillic'), undefined)
})

test('a track holds every piece at its place and silence between', async (t) => {
  const path = join(openWorkFolder(t).folder, 'track.wav')
  const piece = (at: number, value: number) => ({ at, samples: new Int16Array(3).fill(value) })
  await writeTrack(
    path,
    { sampleRate: 8000, totalSamples: 12 },
    (async function* () {
      yield piece(1, 5)
      yield piece(4, 7)
      yield piece(8, 9)
    })(),
  )
  assert.deepEqual([...parseWav(readFileSync(path), 'x').samples], [0, 5, 5, 5, 7, 7, 7, 0, 9, 9, 9, 0])
})

test('pieces that overlap, or do not fit, are refused', async (t) => {
  const path = join(openWorkFolder(t).folder, 'track.wav')
  const pieces = async function* () {
    yield { at: 0, samples: new Int16Array(8) }
    yield { at: 4, samples: new Int16Array(8) }
  }
  await assert.rejects(writeTrack(path, { sampleRate: 8000, totalSamples: 20 }, pieces()), { code: 'invalid_output' })
})

test('only whole mono 16-bit files are narration', async (t) => {
  const path = join(openWorkFolder(t).folder, 'a.wav')
  await writeWav(path, silence(0.5))
  const good = readFileSync(path)
  assert.equal(parseWav(good, 'x').samples.length, 11_025)
  assert.throws(() => parseWav(good.subarray(0, 1000), 'x'), { code: 'invalid_output', message: /cut off/ })
  assert.throws(() => parseWav(Buffer.from('RIFFjunk'), 'x'), { code: 'invalid_output' })
  const stereo = Buffer.from(good)
  stereo.writeUInt16LE(2, 22)
  assert.throws(() => parseWav(stereo, 'x'), { message: /not mono/ })
})
