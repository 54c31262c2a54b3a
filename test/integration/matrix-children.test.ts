/** Workers that are broken from their start on: each is dealt with and explained, the others work on, and it can be healed. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { until } from '../../src/lib/until.ts'
import type { Misbehaviour } from '../fixtures/preloads/misbehave.ts'
import { assertUntouched, childrenOf, pidOf } from '../helpers/children.ts'
import { createGates } from '../helpers/gates.ts'
import { createInstallation, type Instance } from '../helpers/installation.ts'
import { preloadEnv } from '../helpers/preload.ts'
import { tempFolder } from '../helpers/temp.ts'
import { untilHealthy, untilStatus } from '../helpers/wait.ts'

const SICK = 'media-1'
/** The group of the broken one has a good one too. */
const WORKERS = 'llm,image,batch_processing,maintenance,health:1 video,ai_analysis:2'

type Case = {
  mode: Misbehaviour
  what: string
  ends: { code: number | null; reason: string; times: number }
  explained: RegExp
}

const PARKED: Case[] = [
  {
    mode: 'exits-at-once',
    what: 'exits at once: parked after five tries, with what it printed',
    ends: { code: 4, reason: 'exited with code 4', times: 5 },
    explained:
      /^media-1 is not kept running since [\d:]+: it ended \d times .* exited with code 4; the next try is at [\d:]+\.$/,
  },
  {
    mode: 'crashes-often',
    what: 'crashes every two seconds: parked after five',
    ends: { code: 5, reason: 'exited with code 5', times: 5 },
    explained:
      /^media-1 is not kept running since [\d:]+: it ended \d times .* exited with code 5.*; the next try is at/,
  },
  {
    mode: 'exits-with-78',
    what: 'exits with 78: never tried again',
    ends: { code: 78, reason: 'exited with code 78', times: 1 },
    explained:
      /^media-1 is not kept running since [\d:]+: .* exited with code 78.*; it is started again only by hand\.$/,
  },
]

/** They mostly wait: two side by side. */
describe('a worker that, when it is started again,', { concurrency: 2 }, () => {
  for (const { mode, what, ends, explained } of PARKED)
    test(what, async (t) => {
      const world = await fallIll(t, mode)
      const { instance } = world
      await until(() => instance.facts('child_parked').length === 1, { timeoutMs: 60_000, everyMs: 50 })
      const said = instance.facts('child_exited').at(-1)!.lines.join('\n')
      if (mode === 'exits-at-once') assert.match(said, /something that I need is missing/)
      assert.deepEqual(endsOf(instance), Array(ends.times).fill([ends.code, ends.reason]))
      assert.equal((await childrenOf(instance)).find(({ name }) => name === SICK)?.pid, null)
      await assertDegraded(instance)
      assert.match((await instance.api.explain(SICK)).summary, explained)
      await world.complete('count')
      world.recover()
      await instance.api.workers.restart(SICK)
      await assertWell(world)
      assert.equal(instance.facts('child_parked').length, 1)
    })

  test('never becomes ready: killed at its deadline, tried again, and good as soon as it can', async (t) => {
    const world = await fallIll(t, 'never-ready')
    const { instance } = world
    await until(() => instance.facts('child_boot_missed').length === 1, { timeoutMs: 60_000, everyMs: 50 })
    await until(() => endsOf(instance).length === 1, { timeoutMs: 14_000 }) // before the next one misses its deadline
    assert.deepEqual(endsOf(instance), [[null, 'was not ready within 15 s']])
    await assertDegraded(instance)
    assert.match(
      (await instance.api.explain(SICK)).summary,
      /^media-1 (ended|was restarted) at [\d:]+, because it was not ready within 15 s/,
    )
    await world.complete('count')
    world.recover() // the process that is starting now still has it; the next one has not
    await assertWell(world)
    assert.deepEqual(instance.facts('child_parked'), [])
  })

  test('ignores every order to stop: its successor serves, and the end of the program does not wait for it', async (t) => {
    const { instance, recover, complete } = await fallIll(t, 'ignores-stop')
    const isBack = () => instance.facts('child_ready').filter(({ name }) => name === SICK).length === 2
    await until(isBack, { timeoutMs: 40_000, everyMs: 10, what: 'the one that will not stop' })
    recover()
    await instance.api.workers.restart(SICK)
    await until(() => instance.facts('child_replaced').length === 1, { timeoutMs: 60_000, everyMs: 50 })
    await complete('steps')
    await complete('count')
    instance.signal('SIGTERM')
    await instance.ended(60_000)
    const forced = instance.facts('child_stopped').filter((fact) => fact.forced)
    assert.deepEqual(
      forced.map(({ name }) => name),
      [`${SICK}.old`],
    )
  })
})

type World = {
  instance: Instance
  before: Awaited<ReturnType<typeof childrenOf>>
  recover(): void
  /** Runs a project of this pipeline to its end. */
  complete(pipeline: 'count' | 'steps'): Promise<void>
}

/** Well at first: only a start that comes later shows it. */
async function fallIll(t: TestContext, mode: Misbehaviour): Promise<World> {
  const folder = await tempFolder(t)
  const preload = { ...preloadEnv('misbehave'), TEST_MISBEHAVE_FOLDER: folder }
  const { start, layout } = await createInstallation(t, { env: { ...preload, WORKERS } })
  const instance = await start()
  const gates = createGates(t)
  const before = await childrenOf(instance)
  writeFileSync(join(folder, SICK), mode)
  process.kill(await pidOf(instance, SICK), 'SIGKILL')
  await until(() => instance.facts('child_exited').length > 0, { timeoutMs: 20_000, everyMs: 10 })
  return {
    instance,
    before,
    recover: () => rmSync(join(folder, SICK)),
    async complete(pipeline) {
      const input = { folder: gates.folder, total: 2, paceMs: 1 }
      const { id } = await instance.api.projects.create({ pipeline, input })
      await untilStatus({ layout, id }, 'completed')
    },
  }
}

/** After the kill with which it began. */
function endsOf(instance: Instance) {
  return instance
    .facts('child_exited')
    .slice(1)
    .map(({ code, reason }) => [code, reason])
}

/** At the latest when a Redis that was slow for a moment is heard again. */
async function assertDegraded({ api }: Instance): Promise<void> {
  const look = async () => {
    const { status, message } = (await api.status()).data
    return [status, message]
  }
  const wanted = ['degraded', `${SICK} is not ready`]
  await until(async () => isDeepStrictEqual(await look(), wanted), { timeoutMs: 5_000 }).catch(() => {})
  assert.deepEqual(await look(), wanted)
}

/** Its group works with all its processes again, and nobody else was started anew. */
async function assertWell({ instance, before, complete }: World): Promise<void> {
  await untilHealthy(instance, 60_000)
  await complete('steps')
  await assertUntouched(instance, before, [SICK])
}
