/** What people paste must come out as they would read it aloud, whatever its marks; in linear time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainText } from '../../../src/providers/builtin/plain-text.ts'

const CASES: [name: string, source: string, blocks: string[]][] = [
  ['headings', '# One #\nText.\n\nTwo\n===\nMore.', ['# One', 'Text.', '# Two', 'More.']],
  ['emphasis', 'A **bold**, *soft* and _quiet_ `word`.', ['A bold, soft and quiet word.']],
  ['snake_case and sums stay', 'Use snake_case_names and 2 * 3 * 4.', ['Use snake_case_names and 2 * 3 * 4.']],
  ['links and pictures', 'See [the page](http://x.y/z) ![alt](p.png)now.', ['See the page now.']],
  ['lists', '- one\n- [x] two\n3. three', ['one', 'two', 'three']],
  ['quotes', '> said he\n> again', ['said he again']],
  ['code goes', 'Before.\n\n```js\nlet a = 1\n```\n\nAfter.', ['Before.', 'After.']],
  ['tables', '| a | b |\n|---|---|\n| c | d |', ['a, b', 'c, d']],
  ['HTML', '<p>Hello <b>you</b></p><!-- not this --><script>bad()</script>', ['Hello you']],
  ['comparisons stay', 'if a < b and c > d', ['if a < b and c > d']],
  ['hidden characters', '\ufeffA\u200bb\u0007c\u202e d', ['Abc d']],
  ['old line ends', 'One.\r\n\r\nTwo.\rStill two.', ['One.', 'Two. Still two.']],
  ['nothing but marks is kept as it is', '***', ['***']],
  ['nothing but code is kept as well', '```\nx = 1\n```', ['``` x = 1 ```']],
  ['an open fence swallows nothing', '```\nhello there', ['hello there']],
]

for (const [name, source, expected] of CASES)
  test(name, () => {
    const blocks = plainText(source).map(({ kind, text }) => (kind === 'heading' ? `# ${text}` : text))
    assert.deepEqual(blocks, expected)
  })

const HOSTILE = [
  'a',
  '*',
  '[',
  '![',
  '<a',
  '<!--',
  '# ',
  '_a ',
  ' *a',
  '`a ',
  '> ',
  ', ',
  '| - ',
  '\\*',
  ' ',
  '```\n',
  '~~~\n```x\n',
  '<script ',
  'a\n\n',
  '-',
]
for (const piece of HOSTILE)
  test(`200,000 characters of ${JSON.stringify(piece)} take linear time`, { timeout: 5_000 }, () => {
    const blocks = plainText(`${piece.repeat(200_000 / piece.length)}x`)
    assert.ok(blocks.length > 0)
  })
