/** Films from real texts through the HTTP API: measured with ffprobe, listened to, fetched, and made again. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { sha256 } from '../../src/lib/ids.ts'
import { planFilm } from '../../src/pipelines/video/plan.ts'
import type { AssetsResult, RenderResult } from '../../src/pipelines/video/results.ts'
import { projectLayout } from '../../src/project/layout.ts'
import { assertNarration, assertStreams, assertSubtitles } from '../helpers/film.ts'
import { createFilm, type FilmInput, readText, STAGES, smallFilm, toolsOf } from '../helpers/film-project.ts'
import { createInstallation, type Instance } from '../helpers/installation.ts'
import { hashesOf } from '../helpers/soundness.ts'
import { untilStatus } from '../helpers/wait.ts'
import { openWorkFolder } from '../helpers/work-folder.ts'

const FILES = ['metadata.json', 'thumbnail.jpg', 'video.mp4', 'video.srt']

/** What is asked for, and what must come of it. */
const FILMS: [words: string, input: FilmInput, wanted: { width: number; height: number; maxS: number }][] = [
  ['with the defaults', { text: readText('second-inaugural') }, { width: 1280, height: 720, maxS: 60 }],
  ['small and short', smallFilm(), { width: 640, height: 360, maxS: 25 }],
]

for (const [words, input, { width, height, maxS }] of FILMS)
  test(`a real text, ${words}: a film that is as planned, published and served`, async (t) => {
    const installation = await createInstallation(t)
    const { layout } = installation
    const instance = await installation.start()
    const id = await createFilm(instance, input)
    const state = await untilStatus({ layout, id, timeoutMs: 240_000 }, 'completed')
    assert.deepEqual(
      state.stages.map((s) => [s.name, s.status, s.attempts, s.progress]),
      STAGES.map((name) => [name, 'completed', 1, 100]),
    )
    assert.deepEqual(await toolsOf(installation, instance), [], 'no program of a stage is left')

    const results = await resultsOf(instance, id)
    const plan = planFilm(results.assets.shots, maxS)
    assert.ok(plan.shots.length >= 2 && plan.durationS <= maxS && plan.durationS > maxS / 2)
    assert.deepEqual([results.render.frames, results.render.shots], [plan.frames, plan.shots.length])
    const published = projectLayout(layout, id).published
    const film = join(published, 'video.mp4')
    const work = openWorkFolder(t)
    await assertStreams(film, { ...plan, width, height }, work)
    await assertNarration(film, plan, work)
    assertSubtitles(readFileSync(join(published, 'video.srt'), 'utf8'), plan)
    assertFromTheText(
      plan.shots.flatMap((shot) => shot.lines).map((line) => line.text),
      input.text,
    )
    await assertPublished(published, { duration_s: plan.durationS, height })
    for (const name of ['video.mp4', 'video.srt', 'thumbnail.jpg'])
      await assertServed(instance.url, { id, name, content: await readFile(join(published, name)) })
  })

test('the same input gives the same files, whatever runs beside it', async (t) => {
  const installation = await createInstallation(t)
  const { layout } = installation
  const instance = await installation.start()
  const input = smallFilm({ max_duration_s: 15 })
  const ids = [await createFilm(instance, input), await createFilm(instance, input)]
  const states = await Promise.all(ids.map((id) => untilStatus({ layout, id, timeoutMs: 120_000 }, 'completed')))
  const [first, second] = await Promise.all(states.map((state) => hashesOf(layout, state)))
  assert.deepEqual(second, first)
  for (const name of ['script.json', 'shot-001.png', 'line-001.wav', 'video.mp4', 'video.srt', 'thumbnail.jpg'])
    assert.ok(first![name], name)
  const [plan, again] = await Promise.all(ids.map(async (id) => (await resultsOf(instance, id)).assets))
  assert.deepEqual(again, plan)
  const metadata = ids.map((id) => readFileSync(join(projectLayout(layout, id).published, 'metadata.json'), 'utf8'))
  assert.equal(metadata[1], metadata[0])
})

/** Through the API, which puts back what is too large for the state. */
async function resultsOf({ api }: Instance, id: string): Promise<{ assets: AssetsResult; render: RenderResult }> {
  const { stages } = await api.projects.get(id)
  return Object.fromEntries(stages.map((s) => [s.name, s.result])) as never
}

/** Nothing is made up: every word that is spoken stands in the text, in this order. */
function assertFromTheText(lines: string[], text: string): void {
  const plain = (words: string) => words.replace(/[^\p{L}\p{N}]+/gu, ' ').trim()
  let from = 0
  for (const line of lines) {
    const at = plain(text).indexOf(plain(line), from)
    assert.ok(at >= 0, `not in the text: ${line}`)
    from = at
  }
}

async function assertPublished(folder: string, film: { duration_s: number; height: number }): Promise<void> {
  assert.deepEqual((await readdir(folder)).sort(), FILES)
  const picture = await sharp(join(folder, 'thumbnail.jpg')).metadata()
  assert.deepEqual([picture.format, picture.width, picture.height], ['jpeg', 1280, 720])
  const metadata = JSON.parse(await readFile(join(folder, 'metadata.json'), 'utf8'))
  assert.deepEqual([metadata.height, metadata.provider, metadata.language], [film.height, 'builtin', 'en'])
  assert.ok(Math.abs(metadata.duration_s - film.duration_s) < 0.1)
}

type Served = { id: string; name: string; content: Buffer }

/** Whole, in part, not again when the caller has it, and not beyond its end. */
async function assertServed(url: string, { id, name, content }: Served): Promise<void> {
  const get = async (headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/api/v1/projects/${id}/artifacts/${name}`, { headers })
    return { response, body: Buffer.from(await response.arrayBuffer()) }
  }
  const whole = await get()
  const etag = whole.response.headers.get('etag')!
  assert.equal(whole.response.status, 200)
  assert.equal(sha256(whole.body), sha256(content))
  assert.ok(etag.length > 8)
  const part = await get({ Range: 'bytes=100-299' })
  assert.deepEqual([part.response.status, part.body], [206, content.subarray(100, 300)])
  assert.equal(part.response.headers.get('content-range'), `bytes 100-299/${content.length}`)
  const last = await get({ Range: 'bytes=-50', 'If-Range': etag })
  assert.deepEqual([last.response.status, last.body], [206, content.subarray(-50)])
  assert.equal((await get({ 'If-None-Match': etag })).response.status, 304)
  assert.equal((await get({ Range: `bytes=${content.length}-` })).response.status, 416)
}
