/** A film that is cancelled, and a machine without FFmpeg. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { installHint, readPlatform } from '../../src/lib/install-hint.ts'
import { until } from '../../src/lib/until.ts'
import { createFilm, finishedFiles, identitiesOf, smallFilm, stepsDone, toolsOf } from '../helpers/film-project.ts'
import { createGates } from '../helpers/gates.ts'
import { createInstallation, type Instance } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import { readState } from '../helpers/soundness.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { tempFolder } from '../helpers/temp.ts'
import { stageOf, untilState, untilStatus, workerOf } from '../helpers/wait.ts'

test('cancel in the middle of rendering: no ffmpeg is left after 2 s; resume goes on with the clips that are there', async (t) => {
  const installation = await createInstallation(t)
  const { layout } = installation
  const instance = await installation.start()
  const id = await createFilm(instance, smallFilm())
  await untilState({ layout, id, timeoutMs: 60_000 }, (s) => stageOf(s, 'render').steps.length > 0)
  const probe = async () => {
    const tools = await toolsOf(installation, instance)
    return tools.some((tool) => tool.command === 'ffmpeg') && tools.map(({ pid }) => pid)
  }
  const tools = await until(probe, { timeoutMs: 20_000, everyMs: 5, what: 'ffmpeg to run' })
  const watch = startWatch()
  assert.equal((await instance.api.projects.cancel(id)).status, 'cancelled')
  await untilGone(tools)
  await until(async () => (await workerOf(instance, 'media-1')).active.length === 0, { timeoutMs: 10_000 })
  watch.assertBelow(2_000) // by then the worker is free again
  assert.deepEqual(await toolsOf(installation, instance), [])
  const cancelled = readState(layout, id)
  assert.equal(stageOf(cancelled, 'render').status, 'cancelled')
  const kept = await finishedFiles(layout, cancelled)
  await instance.api.projects.resume(id)
  const end = await untilStatus({ layout, id, timeoutMs: 120_000 }, 'completed')
  assert.deepEqual({ ...(await identitiesOf(layout, end)), ...kept }, await identitiesOf(layout, end))
  const steps = stepsDone(layout, id)
  assert.equal(new Set(steps).size, steps.length, 'no step was done twice')
})

type Lack = { words: string; missing: string[]; env: (t: TestContext) => Promise<Record<string, string>> }

const LACKS: Lack[] = [
  { words: 'FFMPEG_PATH leads nowhere', missing: ['ffmpeg'], env: async () => ({ FFMPEG_PATH: '/nowhere/ffmpeg' }) },
  {
    words: 'FFPROBE_PATH leads nowhere',
    missing: ['ffprobe'],
    env: async () => ({ FFPROBE_PATH: '/nowhere/ffprobe' }),
  },
  {
    words: 'FFmpeg is not installed',
    missing: ['ffmpeg', 'ffprobe'],
    env: async (t) => ({ PATH: await pathWithout(t, ['ffmpeg', 'ffprobe']) }),
  },
]

for (const { words, missing, env } of LACKS)
  test(`${words}: a film is refused with the command that installs it, and all else works`, async (t) => {
    const installation = await createInstallation(t, { env: await env(t) })
    const instance = await installation.start()
    const response = await fetch(`${instance.url}/api/v1/projects`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ pipeline: 'video', input: smallFilm() }),
    })
    const problem = (await response.json()) as { code: string; detail: string }
    assert.deepEqual([response.status, problem.code], [503, 'missing_program'])
    assert.match(response.headers.get('content-type')!, /^application\/problem\+json/)
    const platform = await readPlatform()
    assert.equal(problem.detail, missing.map((p) => `${p} is not installed: ${installHint(p, platform)}`).join('; '))
    assert.deepEqual((await instance.api.projects.list()).items, [], 'nothing was made')
    assert.equal((await instance.api.status()).success, true)
    const { id } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: createGates(t).folder } })
    await untilStatus({ layout: installation.layout, id }, 'completed')
  })

test('FFmpeg goes away before a film is started: the start is refused, the film stays as it is, and is made later', async (t) => {
  const installation = await createInstallation(t)
  const { layout } = installation
  const first = await installation.start()
  const film = { pipeline: 'video', input: smallFilm({ max_duration_s: 15 }), autostart: false }
  const { id } = await first.api.projects.create(film)
  await stop(first)
  const without = await installation.start({ env: { FFMPEG_PATH: '/nowhere/ffmpeg' } })
  await assert.rejects(without.api.projects.start(id), { code: 'missing_program' })
  await assert.rejects(without.api.projects.resume(id), { code: 'missing_program' })
  assert.equal(readState(layout, id).status, 'pending')
  await stop(without)
  const again = await installation.start()
  await again.api.projects.start(id)
  await untilStatus({ layout, id, timeoutMs: 120_000 }, 'completed')
})

async function stop(instance: Instance): Promise<void> {
  instance.signal('SIGTERM')
  assert.deepEqual(await instance.ended(20_000), { code: 0, signal: null })
}

/** A folder with links to all programs of this machine but some. */
async function pathWithout(t: TestContext, left: string[]): Promise<string> {
  const folder = await tempFolder(t, 'showrunner-path-')
  for (const from of (process.env.PATH ?? '').split(delimiter)) {
    const names = await readdir(from).catch(() => []) // PATH may name folders that are not there
    const linked = names.filter((name) => !left.includes(name) && !existsSync(join(folder, name)))
    await Promise.all(linked.map((name) => symlink(join(from, name), join(folder, name))))
  }
  return folder
}
