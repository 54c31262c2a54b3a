/** The whole pipeline on a real text with the real programs: what comes out is measured, not believed. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { findByEnvironment } from '../../../src/lib/process-tree.ts'
import { until } from '../../../src/lib/until.ts'
import { FPS, planFilm } from '../../../src/pipelines/video/plan.ts'
import type { AssetsResult, RenderResult } from '../../../src/pipelines/video/results.ts'
import { video } from '../../../src/pipelines/video/video.ts'
import { createFfmpeg } from '../../../src/providers/ffmpeg/ffmpeg.ts'
import { assertNarration, assertStreams, assertSubtitles, cuesIn } from '../../helpers/film.ts'
import { openStages, PLAIN_OPTIONS, type StageRunner } from '../../helpers/stage-context.ts'
import { startWatch } from '../../helpers/stopwatch.ts'
import { openWorkFolder } from '../../helpers/work-folder.ts'

const TEXT = readFileSync(join(import.meta.dirname, '../../fixtures/texts/tell-tale-heart.txt'), 'utf8')
const STAGES = ['script', 'assets', 'render', 'thumbnail', 'upload']
const SHORT = {
  text: 'The crow flew to the sea. "I am thirsty!" it said. Then it found a pitcher in the dark forest.',
  height: 360,
}

async function runAll(stages: StageRunner): Promise<void> {
  for (const name of STAGES) await stages.run(name)
}

test('a text of 600 words becomes a film that is as planned', { timeout: 240_000 }, async (t) => {
  assert.ok(TEXT.split(/\s+/).length >= 600)
  await using stages = await openStages(video, { text: TEXT, height: 360, max_duration_s: 45 })
  await runAll(stages)
  const assets = stages.records.assets!.result as AssetsResult
  const render = stages.records.render!.result as RenderResult
  const plan = planFilm(assets.shots, 45)
  const film = join(stages.published, 'video.mp4')
  const work = openWorkFolder(t)

  await t.test('streams, frames and length', async () => {
    await assertStreams(film, { ...plan, width: 640, height: 360 }, work)
    assert.ok(plan.durationS <= 45)
    assert.deepEqual([render.frames, render.fps, render.shots], [plan.frames, FPS, plan.shots.length])
  })

  await t.test('every line is heard where it is planned, and between lines there is silence', () =>
    assertNarration(film, plan, work),
  )

  await t.test('the loudness is that of the web', async () => {
    const lufs = await createFfmpeg(PLAIN_OPTIONS).loudness(film, work)
    assert.ok(Math.abs(lufs! + 16) < 1, `${lufs} LUFS`)
  })

  await t.test('each subtitle lies within the audio of its line, and together they are the whole narration', () =>
    assertSubtitles(readFileSync(join(stages.published, 'video.srt'), 'utf8'), plan),
  )

  await t.test('subtitles are in the picture while a line is spoken, and not before', async () => {
    const whiteAt = async (atS: number) => {
      const args = [
        '-nostdin',
        '-v',
        'error',
        '-ss',
        String(atS),
        '-i',
        film,
        '-frames:v',
        '1',
        '-vf',
        'crop=iw:ih/4:0:ih*3/4',
        '-f',
        'image2pipe',
        '-c:v',
        'png',
        '-',
      ]
      const { stdout } = await promisify(execFile)('ffmpeg', args, { encoding: 'buffer', maxBuffer: 8e6 })
      return (await sharp(stdout).greyscale().threshold(240).raw().toBuffer()).filter((v) => v === 255).length
    }
    const [line] = plan.shots[0]!.lines
    assert.ok((await whiteAt(line!.startS + 0.5)) > 200)
    assert.equal(await whiteAt(line!.startS - 0.3), 0)
  })

  await t.test('thumbnail and metadata', async () => {
    const picture = await sharp(join(stages.published, 'thumbnail.jpg')).metadata()
    assert.deepEqual([picture.format, picture.width, picture.height], ['jpeg', 1280, 720])
    const metadata = JSON.parse(readFileSync(join(stages.published, 'metadata.json'), 'utf8'))
    assert.deepEqual(
      [metadata.title, metadata.provider, metadata.method],
      ['The Tell-Tale Heart', 'builtin', 'extractive'],
    )
    assert.deepEqual(readdirSync(stages.published).sort(), ['metadata.json', 'thumbnail.jpg', 'video.mp4', 'video.srt'])
  })

  await t.test('progress moves while it runs, and everything says who made it', () => {
    const percents = stages.records.render!.emissions.map((e) =>
      typeof e === 'object' && 'progress' in e ? e.progress : 0,
    )
    assert.ok(new Set(percents).size > 5)
    assert.deepEqual(
      percents,
      percents.toSorted((a, b) => a - b),
    )
    const spoken = stages.records.script!.emissions.filter((e) => typeof e === 'string').join('')
    assert.ok(spoken.includes(plan.shots[0]!.lines[0]!.text))
    for (const stage of STAGES.slice(0, 4)) assert.equal(stages.records[stage]!.provenance.provider, 'builtin')
    assert.deepEqual(stages.records.upload!.result, {
      target: 'local',
      message: 'published to a local folder',
      files: ['video.mp4', 'video.srt', 'thumbnail.jpg', 'metadata.json'],
    })
  })
})

test('the same input gives the same bytes', { timeout: 120_000 }, async () => {
  await using first = await openStages(video, SHORT)
  await using second = await openStages(video, SHORT)
  await runAll(first)
  await runAll(second)
  const hashes = (stages: StageRunner) => Object.fromEntries(stages.artifacts.list().map((a) => [a.name, a.sha256]))
  assert.deepEqual(hashes(second), hashes(first))
  assert.ok(Object.keys(hashes(first)).length > 8)
})

test('after a failure in the middle only the missing clips are made', { timeout: 120_000 }, async () => {
  await using stages = await openStages(video, { text: TEXT, height: 360, max_duration_s: 25 })
  await stages.run('script')
  await stages.run('assets')
  const made: string[] = []
  stages.onStep = (name) => {
    if (made.length === 2) throw new Error('the power went out')
    made.push(name)
  }
  await assert.rejects(stages.run('render'), /power/)
  stages.onStep = (name) => assert.ok(!made.includes(name), `${name} was made twice`)
  const { steps } = await stages.run('render')
  assert.equal(steps.length, (stages.records.render!.result as RenderResult).shots + 1 - made.length)
})

test('text in a script without a font: no boxes, complete subtitles beside the film, and it is said', {
  timeout: 120_000,
}, async () => {
  const text = '从前有一位国王，他有一个女儿。她非常美丽！'
  await using stages = await openStages(video, { text, height: 360, aspect: '9:16' })
  await runAll(stages)
  const cues = cuesIn(readFileSync(join(stages.published, 'video.srt'), 'utf8'))
  assert.equal(cues.map((cue) => cue.text.replace(/ /g, '')).join(''), text)
  for (const stage of ['assets', 'render', 'thumbnail'])
    assert.deepEqual(stages.records[stage]!.provenance.degraded, [
      'text in Han script is not drawn: no font for it (set FONT_DIR)',
    ])
})

test('abort in the middle of rendering ends within two seconds and leaves no process', {
  timeout: 60_000,
}, async () => {
  await using stages = await openStages(video, { text: TEXT, height: 1080, max_duration_s: 30 })
  await stages.run('script')
  await stages.run('assets')
  const abort = new AbortController()
  const running = stages.run('render', abort.signal)
  running.catch(() => {}) // asserted below
  // Only the clips' ffmpeg carries this run's own font configuration.
  const ours = async () => {
    const folders = readdirSync(stages.folder).filter((name) => name.startsWith('work-'))
    const found = await Promise.all(
      folders.map((name) => findByEnvironment('FONTCONFIG_FILE', join(stages.folder, name, 'fonts.conf'))),
    )
    return found.flat()
  }
  await until(async () => (await ours()).length > 0, { timeoutMs: 20_000, what: 'ffmpeg to run' })
  const watch = startWatch()
  abort.abort(new Error('enough'))
  await assert.rejects(running, /enough/)
  watch.assertBelow(2_000)
  assert.deepEqual(await ours(), [])
})
