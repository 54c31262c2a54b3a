/** From text to script: real sentences only, the same every time, and never for long. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeScript } from '../../../src/providers/builtin/analysis.ts'
import { speakingS } from '../../../src/providers/builtin/pace.ts'
import { plainText } from '../../../src/providers/builtin/plain-text.ts'
import { seededRandom } from '../../../src/providers/builtin/seed.ts'
import { linesOf, sentencesOf } from '../../../src/providers/builtin/sentences.ts'
import { tongueOf } from '../../../src/providers/builtin/writing.ts'
import { CAMERA_MOVES } from '../../../src/providers/provider.ts'

const TEXTS = join(import.meta.dirname, '../../fixtures/texts')
const read = (name: string) => readFileSync(join(TEXTS, name), 'utf8')
const textOf = (script: ReturnType<typeof writeScript>) =>
  script.shots.flatMap((shot) => shot.lines.map((line) => line.text))

for (const name of ['tell-tale-heart.txt', 'second-inaugural.txt'])
  test(`${name}: every line is in the text, in its order, within the wanted length`, () => {
    const source = read(name)
    const script = writeScript({ text: source, title: null, targetS: 60 })
    const plain = plainText(source)
      .map((block) => block.text)
      .join(' ')
    const places = textOf(script).map((line) => plain.indexOf(line))
    assert.ok(
      places.every((place) => place >= 0),
      'no line is made up',
    )
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    )
    const seconds = textOf(script).reduce((sum, line) => sum + speakingS(line), 0)
    assert.ok(seconds > 35 && seconds <= 60, `${seconds} s`)
    assert.ok(script.shots.length >= 5 && script.left_out > 0)
    assert.ok(script.shots.every((shot) => CAMERA_MOVES.includes(shot.camera) && shot.headline !== ''))
  })

test('same text, same script; another text, another script', () => {
  const brief = { text: read('tell-tale-heart.txt'), title: null, targetS: 60 }
  assert.deepEqual(writeScript(brief), writeScript(brief))
  assert.notDeepEqual(textOf(writeScript(brief)), textOf(writeScript({ ...brief, text: read('second-inaugural.txt') })))
})

test('a text that fits is kept whole', () => {
  const script = writeScript({
    text: 'Dr. Smith came at 5 p.m. to the U.S. embassy. He left.',
    title: 'Visit',
    targetS: 60,
  })
  assert.deepEqual(textOf(script), ['Dr. Smith came at 5 p.m. to the U.S. embassy.', 'He left.'])
  assert.deepEqual([script.title, script.left_out], ['Visit', 0])
})

test('the title is the first heading, else the first words', () => {
  const titleOf = (text: string) => writeScript({ text, title: null, targetS: 30 }).title
  assert.equal(titleOf('# A Tale\n\nOnce upon a time.'), 'A Tale')
  assert.equal(titleOf('Once upon a time.'), 'Once upon a time')
  assert.match(titleOf(`${'word '.repeat(60)}.`), /^(word ?)+…$/)
  assert.equal(titleOf('"""'), 'Untitled')
})

const LANGUAGES: [language: string, writing: string, text: string][] = [
  ['en', 'Latin', 'The king was in the garden and it was late.'],
  ['de', 'Latin', 'In den alten Zeiten, wo das Wünschen noch geholfen hat, lebte ein König, und der war nicht allein.'],
  ['fr', 'Latin', 'Il était une fois un roi qui vivait dans une forêt avec sa fille et les oiseaux.'],
  ['es', 'Latin', 'En un lugar de la Mancha, de cuyo nombre no quiero acordarme, vivía un hidalgo.'],
  ['ru', 'Cyrillic', 'Жил-был старик со старухой. У них была курочка.'],
  ['zh', 'Han', '从前有一位国王，他有一个女儿。她非常美丽！'],
  ['ja', 'Han', 'むかしむかし、あるところに、おじいさんとおばあさんが住んでいました。'],
  ['ar', 'Arabic', 'كان يا ما كان في قديم الزمان.'],
  ['th', 'Thai', 'กาลครั้งหนึ่งนานมาแล้ว'],
  ['und', 'Common', '12345 !!'],
  ['und', 'Latin', 'xyzzy plugh'],
]
for (const [language, writing, text] of LANGUAGES)
  test(`${language} (${writing}) is recognised and gives lines`, () => {
    const tongue = tongueOf(text)
    assert.equal(tongue.language, language)
    if (language !== 'ja') assert.equal(tongue.writing, writing)
    assert.ok(textOf(writeScript({ text, title: null, targetS: 60 })).join('').length > 0)
  })

test('other languages are split by the rules of Unicode', () => {
  const sentences = sentencesOf([{ kind: 'paragraph', text: '他来了。她走了！好吗？🎉' }], 'zh')
  assert.deepEqual(
    sentences.map((s) => s.text.replace(/ /g, '')),
    ['他来了。', '她走了！', '好吗？🎉'],
  )
})

test('long sentences are cut at clauses, at words, and never inside a character', () => {
  const clauses = linesOf(
    'When the sun was high, the old man took his boat; then, with his dog, he rowed out to the island.',
    60,
  )
  assert.deepEqual(clauses, [
    'When the sun was high, the old man took his boat;',
    'then, with his dog, he rowed out to the island.',
  ])
  assert.deepEqual(linesOf('one two three four', 9), ['one two', 'three', 'four'])
  const emoji = '🎉'.repeat(25)
  assert.deepEqual(
    linesOf(emoji, 10).map((line) => [...line].length),
    [10, 10, 5],
  )
  assert.equal(linesOf(emoji, 10).join(''), emoji)
})

/** Repeatable nonsense with a vocabulary like a book's. */
function longText(length: number): string {
  const random = seededRandom('a long text')
  const word = () =>
    Array.from({ length: 2 + Math.floor(random() * 3) }, () =>
      'kalomituresinado'.slice(2 * Math.floor(random() * 8)).slice(0, 2),
    ).join('')
  const words = Array.from({ length: 3000 }, word)
  const sentences: string[] = []
  for (let size = 0; size < length; size += sentences.at(-1)!.length) {
    const sentence = Array.from(
      { length: 5 + Math.floor(random() * 15) },
      () => words[Math.floor(random() ** 3 * words.length)],
    ).join(' ')
    sentences.push(`The ${sentence}. `)
  }
  return sentences.join('').slice(0, length)
}

const LONG: [name: string, text: string][] = [
  ['sentences', longText(200_000)],
  ['one word', 'a'.repeat(200_000)],
  ['words without an end', 'word '.repeat(40_000)],
  ['paragraphs of one letter', 'a\n\n'.repeat(66_000)],
  ['Chinese', '从前有一位国王，他有一个女儿。'.repeat(13_000)],
  ['combining marks', `a${'\u0301'.repeat(199_000)}`],
]
for (const [name, text] of LONG)
  test(`200,000 characters are read in a few seconds: ${name}`, { timeout: 10_000 }, () => {
    const script = writeScript({ text, title: null, targetS: 60 })
    assert.ok(script.shots.length > 0)
    assert.ok(textOf(script).every((line) => [...line].length <= 150))
  })
