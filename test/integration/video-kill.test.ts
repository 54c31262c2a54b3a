/** Processes are killed while a film is made: it is finished all the same, and nothing finished is done again. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { type DataLayout, projectLayout } from '../../src/project/layout.ts'
import type { ProjectState } from '../../src/project/project.ts'
import {
  createFilm,
  type FilmStage,
  finishedFiles,
  identitiesOf,
  STAGES,
  smallFilm,
  stepsDone,
  toolsOf,
} from '../helpers/film-project.ts'
import { createInstallation, type Installation, type Instance } from '../helpers/installation.ts'
import { type RunningProcess, untilGone } from '../helpers/processes.ts'
import { hashesOf, readState } from '../helpers/soundness.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { stageOf, untilHealthy, untilState, untilStatus, workerOf } from '../helpers/wait.ts'

/** Steps that are to be done before the kill, so that there is something to keep. */
const STEPS_BEFORE: Partial<Record<FilmStage, number>> = { assets: 1, render: 1 }

test('SIGKILL of the supervisor in each stage: the film becomes what it would have been', async (t) => {
  const { installation, making, id } = await startFilm(t)
  const { layout } = installation
  const undisturbed = await createFilm(making.instance, smallFilm())
  for (const stage of STAGES) {
    const before = await killIn(making, stage)
    const kept = await finishedFiles(layout, before)
    const steps = stepsDone(layout, id)
    making.instance = await installation.start()
    const left = making.instance.facts('ready')[0]!.interrupted
    assert.deepEqual(left.find((project) => project.id === id)?.stage, stage)
    const after = await untilState({ layout, id, timeoutMs: 180_000 }, (s) => stageOf(s, stage).status === 'completed')
    assertWentOn(before, after, stage)
    assertNoneTwice(stepsDone(layout, id).slice(steps.length), before)
    assert.deepEqual(await filesAgain(layout, after, kept), kept, 'finished files were not touched')
  }
  const end = await untilDone(layout, id)
  assert.deepEqual(await hashesOf(layout, end), await hashesOf(layout, await untilDone(layout, undisturbed)))
  assert.deepEqual((await readdir(layout.published)).sort(), [id, undisturbed].sort())
  assert.deepEqual(await readdir(projectLayout(layout, id).work), [], 'nothing is left of the killed attempts')
  assert.deepEqual(await toolsOf(installation, making.instance), [])
})

test('SIGKILL of the media worker in the middle of rendering: its programs end with it, the film is completed', async (t) => {
  const { installation, making, id } = await startFilm(t)
  const { layout } = installation
  const { instance } = making
  const before = await untilRunning(making, 'render')
  const kept = await finishedFiles(layout, before)
  const tools = await untilTools(installation, instance, 'ffmpeg')
  const { pid } = await workerOf(instance, 'media-1')
  process.kill(pid!, 'SIGKILL')
  await untilGone([pid!, ...tools])
  const end = await untilDone(layout, id)
  assert.deepEqual(attemptsOf(end), [1, 1, 2, 1, 1])
  assert.deepEqual(await filesAgain(layout, end, kept), kept, 'finished files were not touched')
  assertNoneTwice(stepsDone(layout, id))
  await untilHealthy(instance)
  assert.equal((await workerOf(instance, 'media-1')).restarts, 1)
  assert.deepEqual(await toolsOf(installation, instance), [])
})

test('SIGKILL of Redis while assets are made: no stage is interrupted, and the film is completed', async (t) => {
  const { installation, making, id } = await startFilm(t)
  const { layout } = installation
  const { instance } = making
  await untilRunning(making, 'assets')
  const { pid } = (await instance.api.status()).data.services.redis
  process.kill(pid!, 'SIGKILL')
  const end = await untilDone(layout, id)
  assert.deepEqual(attemptsOf(end), [1, 1, 1, 1, 1])
  assertNoneTwice(stepsDone(layout, id))
  await untilHealthy(instance)
  assert.notEqual((await instance.api.status()).data.services.redis.pid, pid)
  assert.deepEqual(await toolsOf(installation, instance), [])
})

/** `instance` is the one that runs now. */
type Making = { installation: Installation; instance: Instance; id: string }

async function startFilm(t: TestContext) {
  const installation = await createInstallation(t)
  const instance = await installation.start()
  const id = await createFilm(instance, smallFilm())
  const making: Making = { installation, instance, id }
  return { installation, making, id }
}

/**
 * Kills the supervisor while the stage runs, and gives the state that this leaves. A stage that was
 * faster than the kill is done anew: uploading takes only a few milliseconds.
 */
async function killIn(making: Making, stage: FilmStage): Promise<ProjectState> {
  const { installation, id } = making
  for (let tries = 1; tries <= 10; tries++) {
    await untilRunning(making, stage)
    process.kill(making.instance.supervisorPid, 'SIGKILL')
    await untilNoneLeft(installation)
    const state = readState(installation.layout, id)
    if (stageOf(state, stage).status === 'running') return state
    making.instance = await installation.start()
    await untilDone(installation.layout, id)
    await making.instance.api.projects.rerun(id, stage, { and_following: true })
  }
  throw new Error(`${stage} was always faster than the kill`)
}

async function untilNoneLeft(installation: Installation): Promise<void> {
  let left: RunningProcess[] = []
  const probe = async () => {
    left = await installation.processes()
    return left.length === 0
  }
  const watch = startWatch()
  await until(probe, { timeoutMs: 10_000 }).catch(() => assert.deepEqual(left, [], 'left after 10 s'))
  watch.assertBelow(3_000)
}

/** Running with a step done, where it has several; or completed, when it was faster than we could look. */
async function untilRunning({ installation, id }: Making, stage: FilmStage): Promise<ProjectState> {
  const probe = () => {
    const state = readState(installation.layout, id)
    const { status, steps } = stageOf(state, stage)
    const isThere = status === 'completed' || (status === 'running' && steps.length >= (STEPS_BEFORE[stage] ?? 0))
    return isThere ? state : undefined
  }
  return until(probe, { timeoutMs: 180_000, everyMs: 2, what: `${stage} to run` })
}

async function untilTools(installation: Installation, instance: Instance, command: string): Promise<number[]> {
  const probe = async () => {
    const tools = await toolsOf(installation, instance)
    return tools.some((tool) => tool.command === command) && tools.map(({ pid }) => pid)
  }
  return until(probe, { timeoutMs: 20_000, everyMs: 5, what: `${command} to run` })
}

function untilDone(layout: DataLayout, id: string): Promise<ProjectState> {
  return untilStatus({ layout, id, timeoutMs: 120_000 }, 'completed')
}

/** One start more for the stage that was killed, none for those before it, and no retry spent. */
function assertWentOn(before: ProjectState, after: ProjectState, stage: FilmStage): void {
  const index = STAGES.indexOf(stage)
  assert.deepEqual(after.stages.slice(0, index), before.stages.slice(0, index), 'finished stages have not changed')
  const [was, is] = [stageOf(before, stage), stageOf(after, stage)]
  assert.deepEqual([is.attempts, is.retries], [was.attempts + 1, 0])
  for (const step of was.steps)
    assert.deepEqual(
      is.steps.find((s) => s.name === step.name),
      step,
    )
}

/** No step was done twice, nor one that had been done `before`. */
function assertNoneTwice(done: string[], before?: ProjectState): void {
  const earlier = before?.stages.flatMap((s) => s.steps.map((step) => `${s.name}/${step.name}`)) ?? []
  const all = [...earlier, ...done]
  assert.deepEqual(
    all.filter((step, i) => all.indexOf(step) !== i),
    [],
  )
}

/** The same files as they are now. */
async function filesAgain(layout: DataLayout, state: ProjectState, files: Record<string, string>) {
  const now = await identitiesOf(layout, state)
  return Object.fromEntries(Object.keys(files).map((name) => [name, now[name]]))
}

function attemptsOf({ stages }: ProjectState): number[] {
  for (const { name, retries } of stages) assert.equal(retries, 0, `${name} spent a retry`)
  return stages.map((s) => s.attempts)
}
