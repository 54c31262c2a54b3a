/** Ten films at once: all are made, one is rendered at a time, and the API answers as if nothing were going on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import type { ProjectState } from '../../src/project/project.ts'
import { createFilm, readText, STAGES, smallFilm, toolsOf } from '../helpers/film-project.ts'
import { createInstallation, type Instance } from '../helpers/installation.ts'
import { readState } from '../helpers/soundness.ts'
import { stageOf } from '../helpers/wait.ts'

const FILMS = 10
const P95_MS = 50

test('ten films at once: one render at a time, and answers within 50 ms', async (t) => {
  const installation = await createInstallation(t)
  const { layout } = installation
  const instance = await installation.start()
  const ids = await Promise.all(inputs().map((input) => createFilm(instance, input)))
  const times: number[] = []
  const rendering = new Set<number>()
  const probe = async () => {
    times.push(await timeOf(() => instance.api.projects.list()))
    times.push(await timeOf(() => instance.api.projects.get(ids[times.length % FILMS]!)))
    times.push(await timeOf(async () => rendering.add(await rendersOf(instance))))
    return ids.every((id) => readState(layout, id).status === 'completed')
  }
  await until(probe, { timeoutMs: 300_000, everyMs: 50, what: 'ten films' })
  const states = ids.map((id) => readState(layout, id))

  for (const state of states)
    assert.deepEqual(
      state.stages.map((s) => [s.name, s.status, s.attempts, s.retries]),
      STAGES.map((name) => [name, 'completed', 1, 0]),
    )
  assert.equal(new Set(states.map((state) => sha256Of(state, 'video.mp4'))).size, FILMS, 'ten different films')
  assert.deepEqual([...rendering].sort(), [0, 1], 'renders that /status saw at one time')
  assertOneAfterTheOther(states)
  const p95Ms = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.95)]!
  t.diagnostic(`${times.length} answers, p95 ${p95Ms.toFixed(1)} ms`)
  assert.ok(times.length > 100 && p95Ms < P95_MS, `95 % of ${times.length} answers came within ${p95Ms} ms`)
  assert.deepEqual(await toolsOf(installation, instance), [])
})

/** Two texts, cut at different paragraphs, so that no film is like another. */
function inputs() {
  return Array.from({ length: FILMS }, (_, i) => {
    const text = readText(i % 2 === 0 ? 'tell-tale-heart' : 'second-inaugural')
    const start = Math.floor((text.length * i) / (2 * FILMS))
    return smallFilm({ text: text.slice(start), title: `Film number ${i + 1}`, max_duration_s: 15 })
  })
}

async function timeOf(call: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await call()
  return performance.now() - startedMs
}

async function rendersOf({ api }: Instance): Promise<number> {
  const { workers } = (await api.status()).data.services.worker
  return workers!.flatMap((w) => w.active).filter(({ stage }) => stage === 'render').length
}

/** What samples may miss, the journals tell: all work of the queue `video`, the shortest stages included. */
function assertOneAfterTheOther(states: ProjectState[]): void {
  const spans = states
    .flatMap((state) => ['render', 'thumbnail', 'upload'].map((name) => stageOf(state, name)))
    .map((s) => ({ fromMs: Date.parse(s.started_at!), toMs: Date.parse(s.finished_at!) }))
    .toSorted((a, b) => a.fromMs - b.fromMs)
  for (const [i, { fromMs }] of spans.slice(1).entries())
    assert.ok(fromMs >= spans[i]!.toMs, `a stage began ${spans[i]!.toMs - fromMs} ms before the one before had ended`)
}

function sha256Of({ artifacts }: ProjectState, name: string): string | undefined {
  return artifacts.find((a) => a.name === name)?.sha256
}
