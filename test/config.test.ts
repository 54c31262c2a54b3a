/** Settings: precedence, every problem at once, secrets never shown, and the names that people bring. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { type ConfigSources, launcherPid, loadConfig } from '../src/config.ts'
import { AppError } from '../src/lib/errors.ts'
import { QUEUES, TOKEN_FILE } from '../src/settings.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'showrunner-config-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

const load = (env: NodeJS.ProcessEnv = {}, more: Partial<ConfigSources> = {}) => loadConfig({ env, cwd, ...more })
const write = (name: string, text: string) => writeFileSync(join(cwd, name), text)

function refusal(env: NodeJS.ProcessEnv, more: Partial<ConfigSources> = {}): string {
  try {
    load(env, more)
  } catch (error) {
    assert.ok(error instanceof AppError && error.code === 'settings', String(error))
    return error.message
  }
  return assert.fail('the settings were accepted')
}

test('nothing needs to be set', () => {
  const config = load()
  assert.deepEqual([config.host, config.port, config.dataDir], ['127.0.0.1', 8000, join(cwd, 'data')])
  assert.deepEqual(config.redis, {
    mode: 'auto',
    url: null,
    host: '127.0.0.1',
    port: 6379,
    portExplicit: false,
    db: 0,
    password: null,
  })
  assert.deepEqual(config.workers, [
    { name: 'io', queues: ['llm', 'image', 'batch_processing', 'maintenance', 'health'], processes: 1 },
    { name: 'media', queues: ['video', 'ai_analysis'], processes: 1 },
  ])
  assert.deepEqual(
    config.concurrency,
    Object.fromEntries(Object.entries(QUEUES).map(([name, q]) => [name, q.concurrency])),
  )
  assert.deepEqual([config.softTimeLimitS, config.timeLimitS, config.hangKillS], [600, 900, 12])
  assert.deepEqual(config.notes, [])
  assert.deepEqual(JSON.parse(JSON.stringify(config)), config, 'plain JSON')
  assert.throws(() => (config.workers as unknown[]).push('x'), TypeError, 'frozen to the bottom')
})

test('flags win over the environment, then .env.local, then .env', () => {
  write('.env', 'PORT=1\nHOST=localhost\nMAX_SOCKETS=1\nLOG_LEVEL=debug\n')
  write('.env.local', 'PORT=2\nHOST=127.0.0.2\nMAX_SOCKETS=2\n')
  const config = load(
    { PORT: '3', HOST: '127.0.0.3' },
    { flags: { port: '4', dataDir: 'elsewhere', json: true }, isTty: true },
  )
  assert.deepEqual([config.port, config.host, config.maxSockets, config.log.level], [4, '127.0.0.3', 2, 'debug'])
  assert.deepEqual([config.dataDir, config.log.format], [join(cwd, 'elsewhere'), 'json'])
  assert.ok(config.notes.includes('PORT (.env:1) is ignored: flag --port says otherwise'), config.notes.join('\n'))
})

test('an empty value means: not set, even over a weaker source', () => {
  write('.env', 'API_TOKEN=secret\n')
  assert.equal(load({ API_TOKEN: '' }).auth.operatorToken, null)
})

test('a hang limit is refused when beats would come too late for it, or locks would expire before it', () => {
  for (const [value, isGood] of [
    ['0', true],
    ['1', false],
    ['2', true],
    ['14', true],
    ['15', false],
  ] as const)
    if (isGood) assert.equal(load({ HANG_KILL_S: value }).hangKillS, Number(value))
    else assert.match(refusal({ HANG_KILL_S: value }), /HANG_KILL_S=\d+ \(environment\): expected seconds below 15/)
})

test('every problem is reported at once, with value, place and expectation', () => {
  write('.env', '# a comment\nPORT=eight\n\nHANG_KILL_S=15\n')
  const message = refusal({ REDIS: 'maybe', WORKERS: 'llm:1', LLM_CONCURRENCY: '0', PIPELINES_DIR: 'nowhere' })
  assert.match(message, /^6 settings are not valid:\n/)
  assert.match(message, /PORT=eight \(\.env:2\): expected a port from 0 to 65535/)
  assert.match(message, /HANG_KILL_S=15 \(\.env:4\): expected seconds below 15/)
  assert.match(message, /REDIS=maybe \(environment\): expected auto, spawn or attach/)
  assert.match(message, /WORKERS=llm:1 \(environment\): .*no group serves image, video/)
  assert.match(message, /LLM_CONCURRENCY=0 \(environment\)/)
  assert.match(message, /PIPELINES_DIR=nowhere \(environment\): expected an existing folder/)
})

test('secrets are never shown', () => {
  const message = refusal({
    API_TOKEN: 'with space s3cret',
    API_TOKENS: 'ann s3cret',
    OPENAI_API_KEY: 's3cret s3cret',
    REDIS_URL: 'http://me:s3cret@host:1',
    OPENAI_BASE_URL: 'http://me:s3cret@host:2/v1',
    CELERY_RESULT_BACKEND: 'redis://:s3cret@other/1',
  })
  assert.doesNotMatch(message, /s3cret/)
  assert.match(message, /REDIS_URL=http:\/\/\*\*\*@host:1/)
  assert.match(message, /OPENAI_BASE_URL=http:\/\/\*\*\*@host:2\/v1 .*a key belongs into OPENAI_API_KEY/)
  const { notes } = load({ REDIS_URL: 'redis://:s3cret@host/0', CELERY_RESULT_BACKEND: 'redis://:s3cret@host/1' })
  assert.match(notes.join(), /another database than REDIS_URL/)
  assert.doesNotMatch(notes.join(), /s3cret/)
})

test('a secret can be read from a file', () => {
  write('token.txt', 'from-a-file\n')
  assert.equal(load({ API_TOKEN_FILE: 'token.txt' }).auth.operatorToken, 'from-a-file')
  assert.equal(load({ API_TOKEN_FILE: 'token.txt', API_TOKEN: 'direct' }).auth.operatorToken, 'direct')
  assert.match(
    refusal({ API_TOKEN_FILE: 'missing.txt' }),
    /API_TOKEN_FILE=missing\.txt \(environment\): expected a readable file/,
  )
  write('bad.txt', 'two words\n')
  assert.match(refusal({ API_TOKEN_FILE: 'bad.txt' }), /API_TOKEN=\*\*\* \(API_TOKEN_FILE, environment\)/)
})

test('an address that others can reach needs a token', () => {
  assert.match(refusal({ HOST: '0.0.0.0' }), /HOST=0\.0\.0\.0 .*--new-token/)
  assert.match(refusal({ HOST: '::' }), /HOST=::/)
  assert.equal(load({ HOST: '0.0.0.0', API_TOKEN: 't' }).host, '0.0.0.0')
  assert.equal(load({ HOST: '0.0.0.0', API_TOKENS: 'ann:t' }).auth.users[0]?.name, 'ann')
  assert.equal(load({ HOST: '0.0.0.0' }, { flags: { newToken: true } }).auth.operatorToken, null)
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) assert.equal(load({ HOST: host }).host, host)
})

test('the stored token counts until it is replaced or set otherwise', () => {
  mkdirSync(join(cwd, 'data'))
  write(join('data', TOKEN_FILE), 'stored\n')
  assert.equal(load({ HOST: '0.0.0.0' }).auth.operatorToken, 'stored')
  assert.match(load().notes.join(), /data\/token/)
  assert.equal(load({ API_TOKEN: 'set' }).auth.operatorToken, 'set')
  assert.equal(load({}, { flags: { newToken: true } }).auth.operatorToken, null)
  assert.match(refusal({ API_TOKENS: 'ann:stored' }), /operator's token/)
  assert.match(refusal({ API_TOKEN: 'set' }, { flags: { newToken: true } }), /API_TOKEN=\*\*\*/)
})

test('users and their tokens', () => {
  assert.deepEqual(load({ API_TOKENS: 'ann:t1, bob:t:2' }).auth.users, [
    { name: 'ann', token: 't1' },
    { name: 'bob', token: 't:2' },
  ])
  for (const value of ['ann', ':t', 'ann:', 'ann:t,ann:u', 'ann:t,bob:t', 'operator:t', 'a b:t', 'ann:t,'])
    assert.match(refusal({ API_TOKENS: value }), /API_TOKENS=\*\*\*/, value)
})

test('groups of workers', () => {
  const rest = 'image,batch_processing,maintenance,health,ai_analysis:1'
  const { workers } = load({ WORKERS: `llm:2 video_generation:3 ${rest}` })
  assert.deepEqual(
    workers.map(({ name, processes }) => [name, processes]),
    [
      ['llm', 2],
      ['video', 3],
      ['image', 1],
    ],
  )
  const renamed = load({ WORKERS: 'ai_analysis,video:2 health,llm,image,batch_processing,maintenance' }).workers
  assert.deepEqual(
    renamed.map(({ name, processes }) => [name, processes]),
    [
      ['media', 2],
      ['io', 1],
    ],
  )
  for (const value of [
    `llm:0 video:1 ${rest}`,
    `llm:x video:1 ${rest}`,
    `llm,llm:1 video:1 ${rest}`,
    `llm,nope:1 video:1 ${rest}`,
    `llm:1:1 video:1 ${rest}`,
    `llm:1 ${rest}`,
  ])
    assert.match(refusal({ WORKERS: value }), /WORKERS=/, value)
})

test('names from Celery are mapped, each with one line', () => {
  write('.env', 'CELERY_BROKER_URL=redis://cache:6379/1\nCELERY_WORKER_CONCURRENCY=6\nCELERY_LOG_LEVEL=WARNING\n')
  const config = load({
    CELERY_WORKER_MAX_TASKS_PER_CHILD: '100',
    CELERY_WORKER_MAX_MEMORY_PER_CHILD: '204800',
    CELERY_TASK_TIME_LIMIT: '1000',
    CELERY_TASK_SOFT_TIME_LIMIT: '900',
    CELERY_TASK_ACKS_LATE: 'true',
    LLM_CONCURRENCY: '3',
  })
  assert.equal(config.redis.url, 'redis://cache:6379/1')
  assert.deepEqual(config.concurrency, {
    llm: 3,
    image: 6,
    video: 1,
    ai_analysis: 6,
    batch_processing: 6,
    maintenance: 1,
    health: 1,
  })
  assert.deepEqual(
    [config.recycle, config.timeLimitS, config.softTimeLimitS, config.log.level],
    [{ maxJobs: 100, maxRssMb: 200 }, 1000, 900, 'warn'],
  )
  assert.equal(config.notes.length, 8, config.notes.join('\n'))
  assert.ok(config.notes.includes('CELERY_BROKER_URL (.env:1) is used as REDIS_URL'))
  assert.match(
    load({ CELERY_BROKER_URL: 'redis://a', REDIS_URL: 'redis://b' }).notes.join(),
    /CELERY_BROKER_URL .* is ignored/,
  )
  assert.match(
    refusal({ CELERY_BROKER_URL: 'amqp://u:s3cret@h' }),
    /CELERY_BROKER_URL=amqp:\/\/\*\*\*@h .*expected a redis:/,
  )
})

test('the time limits fit together', () => {
  const limits = (env: NodeJS.ProcessEnv) => [load(env).softTimeLimitS, load(env).timeLimitS]
  assert.deepEqual(limits({ TIME_LIMIT_S: '300' }), [200, 300])
  assert.deepEqual(limits({ SOFT_TIME_LIMIT_S: '1200' }), [1200, 1800])
  assert.match(
    refusal({ SOFT_TIME_LIMIT_S: '50', CELERY_TASK_TIME_LIMIT: '50' }),
    /SOFT_TIME_LIMIT_S=50 .*less than CELERY_TASK_TIME_LIMIT=50/,
  )
})

test('who started us is followed: npm, and the `showrunner` command only when the variable names our own parent', () => {
  const pid = (env: NodeJS.ProcessEnv) => launcherPid({ env, cwd }, 42)
  assert.equal(pid({}), null)
  assert.equal(pid({ npm_lifecycle_event: 'start' }), 42)
  assert.equal(pid({ SHOWRUNNER_LAUNCHER_PID: '42' }), 42)
  assert.equal(pid({ SHOWRUNNER_LAUNCHER_PID: '41' }), null, 'inherited from a program further up')
  assert.deepEqual(load({ SHOWRUNNER_LAUNCHER_PID: '42' }).notes, [])
})

test('what is ignored is said', () => {
  assert.match(load({ SHOWRUNNER_PROT: '1' }).notes.join(), /SHOWRUNNER_PROT is not a setting; did you mean PORT\?/)
  assert.match(load({ SHOWRUNNER_LLM_CONCURENCY: '1' }).notes.join(), /did you mean LLM_CONCURRENCY\?/)
  assert.deepEqual(load({ SHOWRUNNER_RUN_ID: 'x' }).notes, [])
  const { notes, redis } = load({ REDIS_URL: 'redis://h:1/2', REDIS_PORT: '7000' })
  assert.match(notes.join(), /REDIS_PORT ignored: REDIS_URL says it all/)
  assert.equal(redis.portExplicit, true)
})
