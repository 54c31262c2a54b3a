/** Story work without a model: nothing is made up, the same text gives the same work, and its rules hold. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { boardStory } from '../../../src/providers/builtin/story-board.ts'
import { editStory } from '../../../src/providers/builtin/story-edit.ts'
import { moveCamera } from '../../../src/providers/builtin/story-moves.ts'
import { furthest } from '../../../src/providers/ffmpeg/camera.ts'

const TALE = readFileSync(join(import.meta.dirname, '../../fixtures/texts/tell-tale-heart.txt'), 'utf8')
const edited = (text: string) => editStory(text).pieces.join('')

test('a repeated sentence goes, a refrain stays', () => {
  const text = 'No. The wolf came to the door. No. "Who is there?" it asked. The wolf came to the door!'
  const edit = editStory(text)
  assert.equal(edit.pieces.join(''), 'No. The wolf came to the door. No. "Who is there?" it asked.')
  assert.equal(edit.repeated, 1)
})

test('an accidental double word goes, a meant one stays', () => {
  assert.equal(edited('He had had the the hat on on the table.'), 'He had had the hat on the table.')
  assert.equal(edited('Very, very dark it was.'), 'Very, very dark it was.')
})

test('headings and paragraphs stay, marks go', () => {
  assert.equal(
    edited('# Tale\n\nOne *bold* fox.\nStill one.\n\nTwo foxes.'),
    '# Tale\n\nOne bold fox. Still one.\n\nTwo foxes.',
  )
})

test('a chapter and a change of subject open a scene', () => {
  const sea = 'The ship crossed the sea. Waves struck the ship. The captain of the ship watched the waves. '
  const king = 'The king sat in the castle. The castle had a tower. The king of the castle loved the tower. '
  const moreSea = 'A sailor of the ship feared the waves. The sea rose over the ship. The captain calmed the sailor.'
  const moreKing = 'A guard of the king closed the gate. The tower fell on the gate. The guard warned the king.'
  const edit = editStory(`${sea}${moreSea}\n\n${king}${moreKing}`)
  assert.equal(edit.scenes, 2)
  assert.match(edit.pieces.join(''), /sailor\.\n\n\* \* \*\n\nThe king/)
  assert.match(edited('One fox.\n\n# Two\n\nTwo foxes.'), /One fox\.\n\n\* \* \*\n\n# Two\n\nTwo foxes\./)
})

test('a long text loses only a few sentences, and none that begins or ends a paragraph', () => {
  const { tightened, pieces } = editStory(TALE)
  assert.ok(tightened > 0 && tightened <= pieces.length * 0.15)
  const text = pieces.join('')
  for (const paragraph of TALE.split('\n\n').slice(1)) {
    assert.ok(text.includes(paragraph.trim().slice(0, 20)))
    assert.ok(text.includes(paragraph.trim().slice(-20)))
  }
})

test('an edit of an edit changes nothing but what it can still spare', () => {
  assert.equal(edited('A fox saw grapes.\n\nIt went away.'), edited(edited('A fox saw grapes.\n\nIt went away.')))
})

test('a board has the wanted number of shots, in the order of the text', () => {
  for (const shots of [1, 2, 5, 12, 30]) {
    const board = boardStory({ text: TALE, shots, exact: true })
    assert.equal(board.shots.length, shots)
    let from = 0
    for (const { dialogue } of board.shots) {
      const [first] = dialogue.split(/(?<=[.!?;,]) /)
      from = TALE.replace(/\s+/g, ' ').indexOf(first!, from)
      assert.ok(from >= 0, dialogue)
    }
  }
})

test('a board without a wish has at most the default, and one sentence is one shot', () => {
  assert.ok(boardStory({ text: TALE, shots: 12, exact: false }).shots.length <= 12)
  const board = boardStory({ text: 'One fox came.', shots: 9, exact: true })
  assert.deepEqual([board.shots.length, board.left_out, board.shots[0]!.dialogue], [1, 0, 'One fox came.'])
  assert.equal(boardStory({ text: '🎉', shots: 3, exact: true }).shots[0]!.description, '🎉')
})

test('moves stay within what a picture holds, differ, and depend on the words alone', () => {
  const texts = [
    'A fox came.',
    '"Grapes!"',
    'It ran away.',
    'The wall was high.',
    'Help!',
    'Night fell.',
    'A star rose.',
  ]
  const moves = moveCamera(texts)
  assert.deepEqual(moveCamera(texts), moves)
  for (const { move, amount } of moves) assert.ok(amount >= 0 && amount <= furthest(move))
  assert.ok(new Set(moves.map((m) => m.move)).size >= 3)
  assert.ok(new Set(moves.map((m) => m.easing)).size >= 2)
  for (const { move, amount } of moves) assert.equal(amount === 0, move === 'static')
})
