/** What a fault takes for a finding: each is shown a program that does wrong, and one that does right. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { expectRefusal } from '../../src/chaos/faults/double-start.ts'
import type { Program } from '../../src/chaos/program.ts'
import { sleep } from '../../src/lib/until.ts'
import { tempFolder } from '../helpers/temp.ts'
import { fakeProcess, fakeScene, faultOf } from './scenes.ts'

test('a process that is left after a clean stop is found before the next start can sweep it away', async (t) => {
  const left = await fakeProcess(t)
  for (const [id, exit] of [
    ['sigterm', 0],
    ['second-ctrl-c', 130],
  ] as const) {
    const facts = [{ type: 'stopping', atMs: 1 }]
    const { scene, found } = await fakeScene(t, { exit: { code: exit, signal: null }, pids: () => [left.pid!], facts })
    await faultOf(id).strike(scene)
    assert.deepEqual(found, [{ kind: 'left', text: `process ${left.pid} (sleep 60) after the stop` }], id)
  }
})

test('what the next start has to end after a clean stop is left, and so is what says that it serves', async (t) => {
  const survivors = [{ pid: 7, command: 'redis-server' }]
  const { scene, found, facts } = await fakeScene(t, { facts: [{ type: 'survivors_ended', atMs: 1, survivors }] })
  await faultOf('sigint').strike(scene)
  assert.deepEqual(found, [{ kind: 'left', text: 'the next start had to end what the stop had left: redis-server 7' }])
  facts.length = 0
  found.length = 0
  writeFileSync(scene.rig.layout.run, '{}')
  await faultOf('sigint').strike(scene)
  assert.deepEqual(
    found.map(({ kind, text }) => [kind, text.endsWith('run.json, which says that it serves')]),
    [['left', true]],
  )
})

test('of all that is killed at once only the supervised are waited for: nobody tells of the end of an ffmpeg', async (t) => {
  const [redis, worker, scheduler, ffmpeg] = (await Promise.all([1, 2, 3, 4].map(() => fakeProcess(t)))).map(
    ({ pid }) => pid!,
  ) as [number, number, number, number]
  const supervised = [redis, worker, scheduler]
  const all = [...supervised, ffmpeg]
  const { scene } = await fakeScene(t, {
    ...{ redis, scheduler, supervised },
    workers: () => ({ 'io-1': worker }),
    pids: () => all,
  })
  const [strike] = await faultOf('kill-children').strike(scene)
  assert.deepEqual(strike!.pids, all)
})

test('a worker that is gone after the end of Redis is found, also the last one', async (t) => {
  const redis = (await fakeProcess(t)).pid!
  let looks = 0
  const { scene, found } = await fakeScene(t, {
    redis,
    supervised: [redis],
    facts: [{ type: 'child_ready', name: 'redis', atMs: Date.now() + 60_000 }],
    workers: (): Record<string, number> => (looks++ === 0 ? { 'io-1': 11, 'media-1': 12 } : { 'io-1': 11 }),
  })
  await faultOf('kill-redis').strike(scene)
  assert.deepEqual(
    found.map(({ kind, text }) => [kind, text.startsWith('media-1 was replaced')]),
    [['wrong', true]],
  )
})

test('a second start has to say where the first one serves', async () => {
  const found: string[] = []
  const scene = { found: (_kind: string, text: string) => void found.push(text) }
  const says = (text: string, code = 0) =>
    ({ ended: async () => ({ code, signal: null }), tail: () => text }) as unknown as Program
  const first = { url: 'http://127.0.0.1:8123' }
  await expectRefusal(scene, says('already serves at http://127.0.0.1:8123 (pid 1)'), first)
  assert.deepEqual(found, [])
  await expectRefusal(scene, says('already serves at http://127.0.0.1:9999'), first)
  await expectRefusal(scene, says('http://127.0.0.1:8123', 5), first)
  assert.match(found.join('\n'), /does not say that it serves at .*8123.*\n.*exit code 5/)
})

test('a stage that is over before anybody looks was hit in its first attempt all the same', async (t) => {
  const { scene } = await fakeScene(t, { facts: [{ type: 'child_exited', atMs: 1_000, pid: 41 }] })
  const effects = join(await tempFolder(t), 'effects.ndjson')
  const line = (attempt: number) => ({
    project: 'p',
    stage: 'act',
    step: 'before',
    attempt,
    pid: 40 + attempt,
    atMs: 900,
  })
  writeFileSync(effects, [2, 1].map((attempt) => `${JSON.stringify(line(attempt))}\n`).join(''))
  const over = { ...scene, add: async () => 'p', rig: { ...scene.rig, effects } }
  over.load = { ...scene.load, untilRunning: scene.load.untilRunning, running: () => [] }
  const strikes = await faultOf('stage-exits').strike(over)
  assert.deepEqual(strikes, [{ atMs: 900, pids: [41], noticedMs: 100 }])
})

test('a slow answer now and then is no finding while a stage floods, slow answers are; nor may the supervisor grow', async (t) => {
  const flood = async (answerMs: (turn: number) => number) => {
    const { scene, found, instance } = await fakeScene(t, {})
    const effects = join(await tempFolder(t), 'effects.ndjson')
    writeFileSync(effects, `${JSON.stringify({ project: 'p', stage: 'act', step: 'before', pid: 1, atMs: 1 })}\n`)
    let turns = 0
    const livez = async () => void (await sleep(answerMs(turns++)))
    Object.assign(instance.api, { livez })
    const load = { ...scene.load, open: () => (turns < 30 ? ['p'] : []) }
    await faultOf('stage-floods').strike({ ...scene, load, add: async () => 'p', rig: { ...scene.rig, effects } })
    return found.map(({ text }) => text.replace(/\d+/, 'n'))
  }
  assert.deepEqual(await flood((turn) => (turn === 3 ? 1_100 : 0)), [])
  assert.deepEqual(await flood((turn) => (turn < 3 ? 1_100 : 0)), [
    '/livez took n ms (p95) while a stage flooded its output',
  ])
})
