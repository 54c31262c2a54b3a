import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LaunchFact, ReadyFact } from '../../src/launch/facts.ts'
import { factLine, levelOf, readyLines } from '../../src/launch/words.ts'

const worker = (name: string) => ({ name, queues: ['llm'], processes: 1 })

function ready(changes: Partial<ReadyFact> = {}): ReadyFact {
  return {
    type: 'ready',
    version: '1.2.3',
    ms: 612,
    url: 'http://127.0.0.1:8000',
    dataDir: '/srv/data',
    redis: { mode: 'spawned', where: 'redis://127.0.0.1:1/0', why: 'none is running', warning: null },
    workers: [worker('io'), worker('media')],
    providers: { ffmpeg: { path: '/usr/bin/ffmpeg' }, speech: 'espeak-ng', text: 'builtin', models: null },
    pipelines: { names: ['video', 'story'], problems: [] },
    interrupted: [],
    resume: 'auto',
    notes: [],
    loginUrl: null,
    outerLimit: null,
    withoutInit: false,
    ...changes,
  }
}

const text = (fact: ReadyFact) => readyLines(fact, { colour: false }).join('\n')

test('the lines at boot say what runs, where, and how to stop it', () => {
  const lines = text(ready())
  for (const part of [
    '1.2.3',
    '612 ms',
    'http://127.0.0.1:8000',
    '/srv/data',
    'redis://127.0.0.1:1/0',
    'none is running',
  ])
    assert.ok(lines.includes(part), part)
  for (const name of ['io', 'media', 'scheduler', 'ffmpeg', 'no AI model', 'Ctrl+C'])
    assert.ok(lines.includes(name), name)
})

test('at most fourteen lines, whatever there is to say', () => {
  const full = ready({
    workers: ['a', 'b', 'c', 'd', 'e'].map(worker),
    loginUrl: 'http://127.0.0.1:8000/login?token=x',
    pipelines: { names: ['video'], problems: [{ file: 'bad.ts', reason: 'it does not parse' }] },
    interrupted: Array.from({ length: 9 }, (_, i) => ({ id: `${i}`, title: `Title ${i}`, stage: 'render' })),
  })
  assert.equal(readyLines(full, { colour: false }).length, 14)
  const warned = ready({ ...full, outerLimit: { by: 'docker', seconds: 10 }, withoutInit: true })
  assert.equal(readyLines(warned, { colour: false }).length, 14)
  for (const part of ['--stop-timeout 40', '--init', 'a, b, c, d, e']) assert.ok(text(warned).includes(part), part)
  const lines = text(full)
  for (const part of ['and c, d, e', 'bad.ts: it does not parse', '9 interrupted projects', 'and 6 more', '/login?'])
    assert.ok(lines.includes(part), part)
})

test('what is missing is named with what to do about it', () => {
  const { providers } = ready()
  const lines = text(
    ready({ providers: { ...providers, ffmpeg: { missing: true, hint: 'apt-get install -y ffmpeg' } } }),
  )
  assert.match(lines, /✖ ffmpeg .*apt-get install -y ffmpeg/)
  assert.match(
    text(ready({ resume: 'off', interrupted: [{ id: '1', title: 'T', stage: 's' }] })),
    /wait for resume: "T"/,
  )
  const models = { provider: 'openai', where: 'api.openai.com', names: ['gpt'] }
  assert.match(text(ready({ providers: { ...providers, models } })), /✔ provider +openai at api.openai.com: gpt/)
})

test('a wanted end is no news, an unwanted one is a warning', () => {
  const facts = { name: 'io-1', pid: 1, code: null, signal: 'SIGKILL', reason: 'was killed', lines: [] }
  const exit = { type: 'child_exited' as const, ...facts, killedFor: null, where: null }
  assert.equal(factLine({ ...exit, wanted: false }, { colour: false }), undefined)
  assert.equal(factLine({ ...exit, wanted: true }, { colour: false }), 'io-1 ended: was killed')
  assert.deepEqual([levelOf({ ...exit, wanted: false }), levelOf({ ...exit, wanted: true })], ['debug', 'warn'])
  assert.match(factLine({ type: 'stopped', ms: 5, left: [7], waited: null }, { colour: false })!, /these are left: 7/)
})

test('a process that hangs is a warning with its place, an error when it is ended, and no news when it is back', () => {
  const where = { function: 'spin', file: 'a.ts', line: 3, column: 1, frames: ['spin (a.ts:3)'], scope: null }
  const about = { name: 'io-1', silentMs: 4_260, where }
  const reason = 'gave no sign of life for 4.3 s; it was in spin (a.ts:3)'
  const facts: LaunchFact[] = [
    { type: 'child_suspected', ...about, reason },
    { type: 'child_recovered', ...about },
    { type: 'child_hung', name: 'io-1', reason, where },
  ]
  assert.deepEqual(
    facts.map((fact) => [levelOf(fact), factLine(fact, { colour: false })]),
    [
      ['warn', `io-1 ${reason}`],
      ['info', 'io-1 gives signs of life again, after 4.3 s'],
      ['error', `io-1 hangs (${reason}); it is ended`],
    ],
  )
})

test('a replacement is told from its reason to its end, and one that failed is a warning', () => {
  const line = (fact: Parameters<typeof factLine>[0]) => factLine(fact, { colour: false })
  const why = 'it has done 10000 jobs (WORKER_MAX_JOBS)'
  assert.equal(line({ type: 'child_replacing', name: 'io-1', why }), `io-1 is being replaced: ${why}`)
  assert.match(line({ type: 'child_replaced', name: 'io-1' })!, /^io-1 has a successor/)
  const failed = { type: 'child_replace_failed', name: 'io-1', reason: 'was not ready within 15 s' } as const
  assert.match(line(failed)!, /did not come up: was not ready within 15 s; io-1 goes on/)
  assert.equal(levelOf(failed), 'warn')
})

test('the end of a stop names what took the time', () => {
  const job = { project: 'p', title: 'My film', stage: 'render' }
  const waited = { ms: 14_200, process: 'media-1', job }
  assert.equal(
    factLine({ type: 'stopped', ms: 14_300, left: [], waited }, { colour: false }),
    'stopped in 14300 ms, no process left; waited 14.2 s for render of "My film" in media-1',
  )
})

test("a project's title cannot order the terminal about", () => {
  const lines = text(ready({ interrupted: [{ id: '1', title: 'a\x1b[2J\nb', stage: 's' }] }))
  assert.match(lines, /"a b" at s/)
})

test('a stage that ended its worker is named, with what follows for it', () => {
  const about = { worker: 'io-1', project: 'p-7', stage: 'render', reason: 'exited with code 3' }
  const fact = { type: 'death_charged' as const, ...about }
  const [first, second] = [false, true].map((failed) =>
    factLine({ ...fact, deaths: failed ? 2 : 1, failed }, { colour: false }),
  )
  for (const line of [first, second]) assert.match(line!, /^io-1 exited with code 3 because of render of p-7/)
  assert.match(first!, /runs again, with nothing beside it/)
  assert.match(second!, /once more; the stage has failed/)
  assert.deepEqual(
    [false, true].map((failed) => levelOf({ ...fact, deaths: 1, failed })),
    ['warn', 'error'],
  )
})

test('a worker that took nothing is named with its queue, as a warning', () => {
  const fact = { type: 'consumer_refreshed' as const, name: 'io-1', queue: 'image', waitedMs: 15_004 }
  assert.equal(
    factLine(fact, { colour: false }),
    'io-1 has taken nothing from image for 15 s, though jobs wait; it fetches anew',
  )
  assert.equal(levelOf(fact), 'warn')
})

const planned = (afterMs: number): LaunchFact => ({ type: 'child_restart_planned', name: 'io-1', afterMs, free: false })
const survivors = (...pids: number[]): LaunchFact => ({
  type: 'survivors_ended',
  survivors: pids.map((pid) => ({ pid, command: 'redis-server' })),
})
const redis = (running: boolean, stopping?: true): LaunchFact => ({
  type: 'redis_changed',
  running,
  ...(stopping && { stopping }),
})
const back = (jobs: number): LaunchFact => ({ type: 'jobs_taken_back', worker: 'media-1', jobs })

const COUNTED: [LaunchFact, string | undefined][] = [
  [planned(0), 'io-1 starts again at once'],
  [planned(25), 'io-1 starts again at once'],
  [planned(249.6), 'io-1 starts again in 250 ms'],
  [planned(999.4), 'io-1 starts again in 999 ms'],
  [planned(999.6), 'io-1 starts again in 1.0 s'],
  [planned(2_000), 'io-1 starts again in 2.0 s'],
  [survivors(7), 'ended 1 process of an earlier run: redis-server 7'],
  [survivors(7, 8), 'ended 2 processes of an earlier run: redis-server 7, redis-server 8'],
  [redis(true), 'Redis answers again; work goes on'],
  [redis(false), 'Redis does not answer; work is accepted and starts when it is back'],
  [redis(true, true), 'Redis answers again; the stop goes on'],
  [redis(false, true), 'Redis does not answer; the stop goes on'],
  [back(0), undefined],
  [back(1), 'put 1 stage of media-1 back into the queue'],
  [back(2), 'put 2 stages of media-1 back into the queue'],
]
for (const [fact, says] of COUNTED)
  test(`${fact.type}: ${says ?? 'nothing to say'}`, () => assert.equal(factLine(fact, { colour: false }), says))
