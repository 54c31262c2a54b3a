/** The whole pipeline on real texts with the real programs and without a model: what comes out is measured. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { exec } from '../../../src/lib/exec.ts'
import type {
  FilmResult,
  ImagesResult,
  MovementResult,
  RewriteResult,
  StoryboardResult,
} from '../../../src/pipelines/story/results.ts'
import { story } from '../../../src/pipelines/story/story.ts'
import { createFfmpeg } from '../../../src/providers/ffmpeg/ffmpeg.ts'
import { openStages, PLAIN_OPTIONS, type StageRecord, type StageRunner } from '../../helpers/stage-context.ts'
import { openWorkFolder } from '../../helpers/work-folder.ts'

const TEXTS = join(import.meta.dirname, '../../fixtures/texts')
const textOf = (name: string) => readFileSync(join(TEXTS, `${name}.txt`), 'utf8')
const STAGES = story.stages.map((stage) => stage.name)

async function runAll(stages: StageRunner): Promise<void> {
  for (const name of STAGES) await stages.run(name)
}

const resultOf = <T>(stages: StageRunner, stage: string) => stages.records[stage]!.result as T
const streamed = ({ emissions }: StageRecord) => emissions.filter((e) => typeof e === 'string')
const wordsOf = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []

const CASES = [
  { name: 'tell-tale-heart', size: { aspect: '16:9', height: 360 }, shots: 3, expected: { width: 640, height: 360 } },
  { name: 'second-inaugural', size: { aspect: '9:16', height: 360 }, shots: 2, expected: { width: 202, height: 360 } },
] as const

for (const { name, size, shots, expected } of CASES)
  test(`${name} becomes a film`, { timeout: 180_000 }, async (t) => {
    const original = textOf(name)
    await using stages = await openStages(story, { original_text: original, shots, ...size })
    await runAll(stages)
    const rewritten = resultOf<RewriteResult>(stages, 'rewrite')
    const board = resultOf<StoryboardResult>(stages, 'storyboard')
    const film = resultOf<FilmResult>(stages, 'video_generation')

    await t.test('the rewrite is the author’s own words, fewer of them, streamed sentence by sentence', () => {
      const own = new Set(wordsOf(original))
      assert.deepEqual(
        wordsOf(rewritten.text).filter((word) => !own.has(word)),
        [],
      )
      assert.ok(rewritten.text.length > original.length / 2 && rewritten.text.length < original.length)
      const pieces = streamed(stages.records.rewrite!)
      assert.equal(pieces.join(''), rewritten.text)
      assert.ok(pieces.length > 10)
      assert.equal(readFileSync(stages.artifacts.path('story.txt'), 'utf8'), `${rewritten.text}\n`)
    })

    await t.test('the storyboard has as many shots as wanted, each with words of the text', () => {
      assert.equal(board.shots.length, shots)
      const plain = wordsOf(rewritten.text).join(' ')
      for (const { description, dialogue, duration_s } of board.shots) {
        assert.ok(description !== '' && duration_s >= 1.5 && duration_s <= 20)
        assert.ok(plain.includes(wordsOf(dialogue!).slice(0, 3).join(' ')))
      }
      assert.deepEqual(JSON.parse(streamed(stages.records.storyboard!).join('')), { shots: board.shots })
    })

    await t.test('one move and one picture for each shot', async () => {
      const { movements } = resultOf<MovementResult>(stages, 'camera_movement')
      const { images } = resultOf<ImagesResult>(stages, 'image_generation')
      const names = board.shots.map((shot) => shot.name)
      assert.deepEqual([movements.map((m) => m.shot), images.map((i) => i.shot)], [names, names])
      assert.deepEqual(JSON.parse(streamed(stages.records.camera_movement!).join('')), { movements })
      for (const { picture } of images) {
        const { width, height } = await sharp(stages.artifacts.path(picture)).metadata()
        assert.ok(width >= expected.width && height >= expected.height)
        const { channels } = await sharp(stages.artifacts.path(picture)).stats()
        assert.ok(
          channels.some((c) => c.stdev > 5),
          'it is not blank',
        )
      }
    })

    await t.test('pictures are counted and named', () => {
      const counted = stages.records.image_generation!.emissions.flatMap((e) =>
        typeof e === 'object' && 'current' in e ? [e] : [],
      )
      assert.deepEqual(
        counted.map(({ current, total }) => [current, total]),
        board.shots.map((_, i) => [i + 1, shots]),
      )
      assert.deepEqual(
        counted.map((e) => e.item_name).sort(),
        board.shots.map((shot) => shot.name),
      )
      assert.deepEqual(
        stages.records.image_generation!.steps.toSorted(),
        board.shots.map((shot) => shot.name),
      )
    })

    await t.test('the film is as long as its shots, whole, and moves', async () => {
      const path = stages.artifacts.path(film.video)
      const work = openWorkFolder(t)
      const facts = await createFfmpeg(PLAIN_OPTIONS).probe(path, work)
      assert.deepEqual([facts.video!.width, facts.video!.height], [expected.width, expected.height])
      const frames = board.shots.reduce((sum, shot) => sum + Math.round(shot.duration_s * 25), 0)
      assert.deepEqual([facts.video!.frames, facts.video!.packets, film.frames], [frames, frames, frames])
      await exec('ffmpeg', ['-nostdin', '-v', 'error', '-xerror', '-i', path, '-f', 'null', '-'], { timeoutMs: 60_000 })
      const percents = stages.records.video_generation!.emissions.map((e) =>
        typeof e === 'object' && 'progress' in e ? e.progress : 0,
      )
      assert.ok(new Set(percents).size > 3 && percents.at(-1) === 98)
    })

    await t.test('the words of every shot are subtitles, in its own time', () => {
      const srt = readFileSync(stages.artifacts.path(film.subtitles!), 'utf8')
      const blocks = srt
        .trim()
        .split('\n\n')
        .map((block) => block.split('\n').slice(2).join(' '))
      assert.deepEqual(wordsOf(blocks.join(' ')), wordsOf(board.shots.map((shot) => shot.dialogue).join(' ')))
    })

    await t.test('everything says that no model made it', () => {
      for (const stage of STAGES) {
        const { provenance } = stages.records[stage]!
        assert.deepEqual([provenance.provider, provenance.model], ['builtin', null])
        assert.ok(provenance.degraded.length > 0, stage)
      }
    })
  })

const SHORT = {
  original_text: 'The crow flew to the sea. "I am thirsty!" it said. Then it found a pitcher.',
  height: 360,
}

test('the same input gives the same bytes, another text another film', { timeout: 180_000 }, async () => {
  await using first = await openStages(story, SHORT)
  await using second = await openStages(story, SHORT)
  await using other = await openStages(story, { ...SHORT, original_text: SHORT.original_text.replace('sea', 'forest') })
  for (const stages of [first, second, other]) await runAll(stages)
  const hashes = (stages: StageRunner) => Object.fromEntries(stages.artifacts.list().map((a) => [a.name, a.sha256]))
  assert.deepEqual(hashes(second), hashes(first))
  for (const name of ['story.txt', 'storyboard.json', 'shot-001.png', 'story.mp4'])
    assert.notEqual(hashes(other)[name], hashes(first)[name], name)
})

test('a script without a font: no boxes, all of the words beside the film, and it is said', {
  timeout: 120_000,
}, async () => {
  const original_text = '从前有一位国王，他有一个女儿。她非常美丽！'
  await using stages = await openStages(story, { original_text, height: 360, aspect: '1:1' })
  await runAll(stages)
  assert.equal(resultOf<RewriteResult>(stages, 'rewrite').text, original_text)
  const srt = readFileSync(stages.artifacts.path('story.srt'), 'utf8')
  assert.equal((srt.match(/\p{Script=Han}/gu) ?? []).join(''), original_text.replace(/[，。！]/g, ''))
  for (const stage of ['image_generation', 'video_generation'])
    assert.ok(
      stages.records[stage]!.provenance.degraded.some((d) => d.includes('Han script is not drawn')),
      stage,
    )
})

test('after a failure in the middle only the missing pictures are drawn', { timeout: 60_000 }, async () => {
  await using stages = await openStages(story, { original_text: textOf('tell-tale-heart'), shots: 4, height: 360 })
  await stages.run('rewrite')
  await stages.run('storyboard')
  const drawn: string[] = []
  stages.onStep = (name) => {
    if (drawn.length === 2) throw new Error('the power went out')
    drawn.push(name)
  }
  await assert.rejects(stages.run('image_generation'), /power/)
  stages.onStep = (name) => assert.ok(!drawn.includes(name), `${name} was drawn twice`)
  const { steps, result } = await stages.run('image_generation')
  assert.equal(steps.length, 2)
  assert.equal((result as ImagesResult).images.length, 4)
})
