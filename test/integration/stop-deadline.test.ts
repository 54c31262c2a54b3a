/** A stop is over in time whatever holds it up: a deaf stage, a stray with its pipe, an open request, a slow Redis, all of them. */
import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findProgram } from '../../src/lib/find-program.ts'
import { until } from '../../src/lib/until.ts'
import type { Instance } from '../helpers/installation.ts'
import { readState } from '../helpers/soundness.ts'
import { forcedIn, startProject } from '../helpers/started-project.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { stageOf, untilStatus } from '../helpers/wait.ts'

test('hurried, with a request that never ends and a Redis that does not: over within 2 s', async (t) => {
  const { installation, instance } = await startHindered(t, { pipeline: 'steps', held: ['write-2'] })
  await stopSlowly(instance)
  const watch = startWatch()
  instance.signal('SIGTERM')
  assert.deepEqual(await instance.ended(15_000), { code: 143, signal: null })
  watch.assertBelow(2_000)
  assert.deepEqual(await installation.processes(), [])
})

test('hurried while only Redis is left: over within 2 s', async (t) => {
  const { instance } = await startHindered(t, { pipeline: 'steps' })
  instance.signal('SIGTERM')
  const isLast = () => instance.facts('child_stopping').some(({ name }) => name === 'redis')
  await until(isLast, { timeoutMs: 20_000, everyMs: 10, what: 'the stop to come to Redis' })
  assert.ok(askedMs(instance) > 600, 'the request has held it up, so that the next signal is another one')
  const watch = startWatch()
  instance.signal('SIGTERM')
  assert.deepEqual(await instance.ended(15_000), { code: 143, signal: null })
  watch.assertBelow(2_000)
})

test('with STOP_TIMEOUT_S=6 and everything that can hold a stop up: over within 6 s, in order, and nothing is lost', async (t) => {
  const env = { STOP_TIMEOUT_S: '6' }
  const plan = { pipeline: 'stray', held: ['after'], input: { deaf: true }, start: { env } }
  const { installation, layout, gates, instance, id } = await startHindered(t, plan)
  const watch = startWatch()
  instance.signal('SIGTERM')
  assert.deepEqual(await instance.ended(20_000), { code: 0, signal: null })
  watch.assertBelow(6_000)
  assert.deepEqual(instance.facts('stopped')[0]?.left, [])
  assert.deepEqual(await installation.processes(), [])
  const { 'media-1': ofDeaf, ...others } = forcedIn(instance)
  assert.deepEqual(others, { scheduler: false, 'io-1': false, redis: true })
  // The process of the deaf stage ends by itself just before it would be killed; on a busy machine it may be killed.
  assert.ok(ofDeaf === false || watch.lagMs() > 200, `killed, although the machine waited only ${watch.lagMs()} ms`)
  const stage = stageOf(readState(layout, id), 'leave')
  assert.deepEqual([stage.status, stage.reason, stage.steps.length], ['waiting', 'interrupted', 1])
  gates.release('after')
  await installation.start()
  await untilStatus({ layout, id }, 'completed')
})

/** With a Redis that ends only by a kill, and a request of which only a half has come. */
async function startHindered(t: TestContext, plan: Parameters<typeof startProject>[1]) {
  const folder = await mkdtemp(join(tmpdir(), 'showrunner-path-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const redis = await findProgram('redis-server')
  await writeFile(
    join(folder, 'redis-server'),
    `#!/bin/sh\n[ "$1" = --version ] && exec ${redis} "$@"\n${STUBBORN(redis!)}`,
  )
  await chmod(join(folder, 'redis-server'), 0o755)
  const env = { ...plan?.start?.env, PATH: `${folder}:${process.env.PATH}` }
  const project = await startProject(t, { ...plan, start: { ...plan?.start, env } })
  const { hostname, port } = new URL(project.instance.url)
  const request = connect(Number(port), hostname)
  request.on('error', () => {}) // it is cut off
  t.after(() => request.destroy())
  const head =
    'POST /api/v1/projects HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99'
  request.write(`${head}\r\n\r\n{"pipe`)
  return project
}

/** Redis itself ends by SIGTERM; the shell around it does not. */
const STUBBORN = (redis: string) => `trap '' TERM; ${redis} "$@"; exec sleep 600\n`

/** Asks once, and comes back when asking again would hurry it. */
async function stopSlowly(instance: Instance): Promise<void> {
  instance.signal('SIGTERM')
  await until(() => instance.facts('stopping').length > 0 && askedMs(instance) > 600, {
    timeoutMs: 15_000,
    everyMs: 10,
  })
}

/** Since the first signal was heard. */
function askedMs(instance: Instance): number {
  const [asked] = instance.facts('stop_asked') as unknown as { time: string }[]
  return asked ? Date.now() - Date.parse(asked.time) : 0
}
