/** What the terminal shows: prefixes, colours, levels, no secrets, and no more of a flood than can be read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import type { LaunchFact } from '../../src/launch/facts.ts'
import { createVoice, type VoiceOptions } from '../../src/launch/voice.ts'
import { createRedactor } from '../../src/lib/redact.ts'
import { until } from '../../src/lib/until.ts'

function listen(changes: Partial<VoiceOptions> = {}) {
  let text = ''
  const write = (more: string) => {
    text += more
  }
  const voice = createVoice({ format: 'pretty', level: 'info', colour: false, write, logs: '/data/logs', ...changes })
  return { voice, text: () => text, lines: () => text.split('\n').slice(0, -1) }
}

const said = (name: string, line: string, stream: 'stdout' | 'stderr' = 'stdout'): LaunchFact => {
  return { type: 'child_line', name, pid: 7, stream, line }
}
const logged = (level: string, message: string, facts: object = {}) =>
  JSON.stringify({ level, time: 'x', process: 'io-1', message, ...facts })

test('every line says whose it is; what is not JSON is shown as it is', () => {
  const { voice, lines } = listen()
  voice.say(said('io-1', logged('info', 'stage started', { stage: 'film', attempt: 2 })))
  voice.say(said('media-1.old', 'plain'))
  voice.say({
    type: 'api_line',
    line: JSON.stringify({ level: 'warn', time: 'x', process: 'api', message: 'careful' }),
  })
  assert.deepEqual(lines(), [
    'io-1       │ stage started stage=film attempt=2',
    'media-1.old │ plain',
    'api        │ careful',
  ])
})

test('as JSON every line has its process, time and level, whoever printed what', () => {
  const { voice, lines } = listen({ format: 'json' })
  const own = logged('warn', 'ours', { stage: 'film' })
  const foreign = [
    'plain',
    '{"level":30,"msg":"of pino"}',
    '{"level":"info","message":"without time and process"}',
    '{"level":"info","time":"x","process":"io-1","message":"cu',
    '{ not JSON',
    '{}',
    '"text"',
  ]
  for (const line of [own, ...foreign]) voice.say(said('io-1', line))
  voice.say(said('io-1', 'oh', 'stderr'))
  assert.equal(lines()[0], own, 'what is ours passes unchanged')
  const parsed = lines().map((line) => JSON.parse(line))
  assert.deepEqual(
    parsed.map(({ level, process, message }) => [level, process, message]),
    [['warn', 'io-1', 'ours'], ...foreign.map((line) => ['info', 'io-1', line]), ['warn', 'io-1', 'oh']],
  )
  for (const { time } of parsed.slice(1)) assert.equal(new Date(time).toISOString(), time)
})

test('the level decides, for lines too: errors of workers are heard at the level error', () => {
  const { voice, lines } = listen({ level: 'error' })
  voice.say(said('io-1', logged('error', 'bad')))
  voice.say(said('io-1', logged('warn', 'unseemly')))
  voice.say(said('io-1', 'plain'))
  voice.say(said('redis', 'ready'))
  assert.deepEqual(lines(), ['io-1       │ bad'])
  const quiet = listen()
  quiet.voice.say(said('redis', 'ready'))
  quiet.voice.say(said('redis', 'oh', 'stderr'))
  assert.deepEqual(quiet.lines(), ['redis      │ oh'], 'Redis chats, but its errors are heard')
})

test('one stable colour per process, another for each of the usual ones, and levels have theirs', () => {
  const { voice, lines } = listen({ colour: true })
  const names = ['redis', 'io-1', 'media-1', 'scheduler', 'api']
  for (const name of [...names, ...names]) voice.say(said(name, name === 'redis' ? logged('warn', 'x') : 'x'))
  const colours = lines().map((line) => line.slice(0, line.indexOf('m')))
  assert.equal(new Set(colours.slice(0, 5)).size, 5)
  assert.deepEqual(colours.slice(0, 5), colours.slice(5))
  assert.equal(stripVTControlCharacters(lines()[1]!), 'io-1       │ x')
  voice.say(said('io-1', logged('error', 'bad')))
  assert.ok(lines().at(-1)!.includes('\u001b[31mbad'))
})

test('what is printed cannot order the terminal about', () => {
  const { voice, text } = listen()
  voice.say(said('io-1', 'a\u001b[2Jb\u0007c\td'))
  assert.equal(text(), 'io-1       │ a·[2Jb·c\td\n')
})

test('a flood: 200 lines, then one that says how many more there were and where', async () => {
  const { voice, lines } = listen()
  for (let n = 0; n < 5_000; n++) voice.say(said('io-1', `line ${n}`))
  voice.say(said('media-1', 'not drowned'))
  assert.equal(lines().length, 201)
  await until(() => lines().length === 202, { timeoutMs: 5_000 })
  assert.equal(lines()[201], 'io-1       │ 4800 more lines are not shown here; they are in /data/logs/io-1.log')
  voice.say(said('io-1', 'heard again'))
  assert.equal(lines().at(-1), 'io-1       │ heard again')
})

test('what tells how the program ends is marked, and so is that lines were left out; what children print is not', () => {
  for (const format of ['pretty', 'json'] as const) {
    const written: [text: string, isLast: boolean | undefined][] = []
    const { voice } = listen({ format, write: (text, isLast) => void written.push([text, isLast]) })
    const parked: LaunchFact = { type: 'child_parked', name: 'io-1', reason: 'x', retryMs: 1 }
    const stopping: LaunchFact = { type: 'stopping', running: [], deadlineS: 28 }
    const stopped: LaunchFact = { type: 'stopped', ms: 5, left: [], waited: null }
    for (const fact of [parked, said('io-1', 'a'), stopping, said('io-1', 'b'), stopped]) voice.say(fact)
    voice.leftOut(17)
    assert.deepEqual(
      written.map(([, isLast]) => isLast),
      [false, false, true, false, true, true],
    )
    const [notice] = written.at(-1)!
    assert.match(notice, /17 lines are not shown here, because nobody has read them in time; they are in \/data\/logs/)
    if (format === 'json') assert.deepEqual(JSON.parse(notice).lines, 17)
  }
})

test('few long lines are a flood too', () => {
  const { voice, text } = listen()
  for (let n = 0; n < 100; n++) voice.say(said('io-1', 'x'.repeat(60_000)))
  assert.ok(text().length < 300_000)
})

for (const format of ['pretty', 'json'] as const)
  test(`no secret is said (${format}), whoever says it; the login link is`, () => {
    const redactor = createRedactor(['known-secret', '4711'])
    const { voice, text } = listen({ format, redactor })
    voice.say({ type: 'api_line', line: logged('warn', 'from known-secret', { url: '/x?token=abcdef' }) })
    voice.say({ type: 'child_parked', name: 'io-1', reason: 'refused known-secret', retryMs: 4711 })
    voice.say({ type: 'progress', sentence: 'Bearer abcdefghijkl' })
    assert.doesNotMatch(text(), /known-secret|abcdef/)
    if (format === 'json') for (const line of text().trim().split('\n')) JSON.parse(line)
    const link = listen({ format, redactor })
    link.voice.say({ ...READY, loginUrl: 'http://h/login?token=once', dataDir: '/known-secret' })
    assert.match(link.text(), /login\?token=once/)
    assert.doesNotMatch(link.text(), /known-secret/)
  })

const READY: Extract<LaunchFact, { type: 'ready' }> = {
  type: 'ready',
  version: '1',
  ms: 1,
  url: 'http://h',
  dataDir: '/d',
  redis: { mode: 'spawned', where: 'redis://h', why: null, warning: null },
  workers: [],
  providers: { ffmpeg: { path: '/f' }, speech: 'espeak-ng', text: 'builtin', models: null },
  pipelines: { names: [], problems: [] },
  interrupted: [],
  resume: 'auto',
  notes: [],
  loginUrl: null,
  outerLimit: null,
  withoutInit: false,
}
