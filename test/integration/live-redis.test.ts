/** Redis dies, forgets or comes back empty while stages stream: their viewers never sit in silence. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openRedis } from '../../src/redis/client.ts'
import { talkOf } from '../fixtures/pipelines/talk.ts'
import { createGates, type Gates } from '../helpers/gates.ts'
import { createInstallation, type Instance } from '../helpers/installation.ts'
import { assertTold, startAllKinds, untilAll, type Viewer } from '../helpers/viewers.ts'
import { untilHealthy, untilStatus } from '../helpers/wait.ts'
import { startPlainRedis } from '../redis/redis-process.ts'

/** So soon everyone has heard something after the fault. */
const SILENCE_MS = 10_000

/** However slow the machine, what talks and what counts has not ended before these gates are opened. */
const LATE_GATES = ['1-600', 'count-100']

const SPEECH = { seed: 'redis', pieces: 700, paceMs: 10, pauses: ['1-600'] }

test('SIGKILL of our own Redis in mid-stream: it comes back with its file, and every viewer goes on', async (t) => {
  const scene = await openScene(t)
  const { pid } = (await scene.instance.api.status()).data.services.redis
  const { talk, count } = scene
  // The quiet one has nothing new to tell, and its viewers have lost nothing.
  const proveHeard = noteHeard(t, [...talk.viewers, ...count.viewers])
  scene.gates.release(...LATE_GATES)
  process.kill(pid!, 'SIGKILL')
  await proveHeard()
  await proveExactEnd(scene)
})

test('FLUSHALL in mid-stream: every viewer gets a snapshot, of stages that only count or wait, too', async (t) => {
  const redis = await startPlainRedis(t)
  const scene = await openScene(t, redis.port)
  const proveHeard = noteHeard(t, scene.viewers)
  const client = openRedis({ url: redis.url }, 'patient')
  await client.flushall()
  client.disconnect()
  await proveHeard()
  await proveSnapshot(scene)
  await proveExactEnd(scene)
})

test('an attached Redis that comes back empty: every viewer gets a snapshot, of stages that only count or wait, too', async (t) => {
  const redis = await startPlainRedis(t)
  const scene = await openScene(t, redis.port)
  const proveHeard = noteHeard(t, scene.viewers)
  await redis.end()
  await startPlainRedis(t, [], redis.port)
  await proveHeard()
  await proveSnapshot(scene)
  await proveExactEnd(scene)
})

type Show = { id: string; viewers: Viewer[] }
/** Everyone is in the middle of it. */
type Scene = { instance: Instance; layout: Parameters<typeof untilStatus>[0]['layout']; gates: Gates } & Record<
  'talk' | 'count' | 'quiet',
  Show
> & { viewers: Viewer[] }

/** A stage that talks, one that counts, and one that has counted to four and waits; all kinds of viewers for each. */
async function openScene(t: TestContext, redisPort?: number): Promise<Scene> {
  const installation = await createInstallation(t)
  const gates = createGates(t)
  gates.hold('count-5', ...LATE_GATES)
  const attach = { REDIS: 'attach', REDIS_URL: `redis://127.0.0.1:${redisPort}/0` }
  const instance = await installation.start(redisPort === undefined ? {} : { env: attach })
  const show = async (pipeline: string, input: object): Promise<Show> => {
    const { id } = await instance.api.projects.create({ pipeline, input: { folder: gates.folder, ...input } })
    return { id, viewers: startAllKinds(t, { url: instance.url, id }) }
  }
  const shows = {
    talk: await show('talk', SPEECH),
    count: await show('count', { total: 120, paceMs: 60, pauses: [100] }),
    quiet: await show('count', { total: 8, paceMs: 10, pauses: [5] }),
  }
  const viewers = Object.values(shows).flatMap((one) => one.viewers)
  const limits = { timeoutMs: 30_000, what: 'all to be in the middle of it' }
  await untilAll(shows.talk.viewers, (viewer) => (viewer.texts.get('talk') ?? '').length > 100, limits)
  await untilAll(shows.count.viewers, (viewer) => counted(viewer) > 5, limits)
  await untilAll(shows.quiet.viewers, (viewer) => counted(viewer) === 4, limits)
  return { instance, layout: installation.layout, gates, ...shows, viewers }
}

function counted({ progress }: Viewer): number {
  return progress?.current ?? 0
}

/** Call it before the fault; what it returns proves that everyone has heard something since. */
function noteHeard(t: TestContext, viewers: Viewer[]): () => Promise<void> {
  const before = new Map(viewers.map((viewer) => [viewer, viewer.counts.messages]))
  const faultMs = performance.now()
  return async () => {
    const hasHeard = (viewer: Viewer) => viewer.counts.messages > before.get(viewer)!
    await untilAll(viewers, hasHeard, { timeoutMs: SILENCE_MS, what: 'everyone to hear something' })
    t.diagnostic(`everyone had heard something ${Math.round(performance.now() - faultMs)} ms after the fault`)
  }
}

/** What a stage that says nothing now has got to is told again. */
async function proveSnapshot({ viewers, quiet }: Scene): Promise<void> {
  const limits = { timeoutMs: SILENCE_MS, what: 'everyone to begin anew' }
  await untilAll(viewers, ({ counts }) => counts.unrecovered >= 2, limits)
  const knows = ({ said }: Viewer) => said.slice(said.lastIndexOf('connected')).includes('stage_update processing')
  await untilAll(quiet.viewers, knows, { timeoutMs: SILENCE_MS, what: 'everyone to know what the quiet stage does' })
}

async function proveExactEnd({ instance, layout, gates, talk, count, quiet }: Scene): Promise<void> {
  gates.release('count-5', ...LATE_GATES)
  for (const { id } of [talk, count, quiet]) {
    const end = await untilStatus({ layout, id, timeoutMs: 30_000 }, 'completed')
    assert.equal(end.stages[0]!.attempts, 1, 'the stage itself went on')
  }
  await assertTold(talk.viewers, 'talk', talkOf(SPEECH, 1).text)
  await assertTold([...count.viewers, ...quiet.viewers], 'count', '')
  await untilHealthy(instance)
}
