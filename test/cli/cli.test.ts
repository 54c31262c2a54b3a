/** Verbs against a running server: what they print, where, and how they end. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createOneTimeLogins } from '../../src/api/auth.ts'
import { until } from '../../src/lib/until.ts'
import { projectState, statusData } from '../api/deps.ts'
import { startFake } from './harness.ts'

const json = (text: string) => JSON.parse(text) as Record<string, any>

test('status: 0 when healthy, 1 when not', async () => {
  await using fake = await startFake()
  const healthy = await fake.cli(['status'])
  assert.equal(healthy.code, 0, healthy.stderr)
  assert.match(healthy.stdout, /^healthy: /)
  assert.match(healthy.stdout, /✔ {2}io-1 +ready, 1 B, up 11 s, shout of p1/)
  assert.match(healthy.stdout, /llm +0 +1 +0/)
  assert.equal(healthy.stderr, '')
  await using degraded = await startFake({ status: async () => statusData('degraded') })
  const answer = await degraded.cli(['status', '--json'])
  assert.equal(answer.code, 1)
  assert.equal(json(answer.stdout).data.status, 'degraded')
})

test('health: only 0 and 1', async () => {
  const codeFor = async (status: 'healthy' | 'degraded' | 'unhealthy' | 'starting') => {
    await using fake = await startFake({ status: async () => statusData(status) })
    return (await fake.cli(['health'])).code
  }
  assert.deepEqual(
    [await codeFor('healthy'), await codeFor('degraded'), await codeFor('unhealthy'), await codeFor('starting')],
    [0, 0, 1, 1],
  )
})

test('run: waits for the end, and says where the results are', async () => {
  await using fake = await startFake()
  const running = fake.cli(
    ['run', 'hello', '--input', '-', '--set', 'n=42', '--set', 'word=a b', '--title', 'My own'],
    { input: '{"text":"hi"}' },
  )
  const created = await until(() => [...fake.deps.states.values()][0], { timeoutMs: 30_000, what: 'the project' })
  assert.deepEqual([created.title, created.input], ['My own', { text: 'hi', n: 42, word: 'a b' }])
  const artifacts = [
    { name: 'out.txt', stage: 'shout', mime: 'text/plain', bytes: 2048, sha256: 'x', file: 'out-x.txt' },
  ]
  fake.deps.states.set(created.id, projectState({ id: created.id, revision: 9, artifacts }))
  const { code, stdout, stderr } = await running
  assert.equal(code, 0, stderr)
  assert.equal(stdout, `${fake.url}/api/v1/projects/${created.id}/artifacts/out.txt  2.0 KB\n`)
  assert.match(stderr, new RegExp(`Project ${created.id}: My own\\n(.*\\n)*shout: completed\\n✔ completed`))
})

test('run: names the published files when they lie on this machine', async () => {
  await using fake = await startFake()
  const running = fake.cli(['run', 'hello', '--set', 'text=hi'])
  const { id } = await until(() => [...fake.deps.states.values()][0], { timeoutMs: 30_000, what: 'the project' })
  const published = join(fake.folder, 'published', id)
  mkdirSync(published, { recursive: true })
  writeFileSync(join(published, 'video.mp4'), '')
  fake.deps.states.set(id, projectState({ id, revision: 9 }))
  const { code, stdout } = await running
  assert.deepEqual([code, stdout], [0, `${join(published, 'video.mp4')}\n`])
})

test('run: the exit code tells how the project ended', async () => {
  for (const [error, expected] of [
    ['stage_failed', 1],
    ['time_limit', 124],
    ['missing_program', 69],
  ] as const) {
    await using fake = await startFake()
    const running = fake.cli(['run', 'hello', '--set', 'text=hi', '--json'])
    const { id } = await until(() => [...fake.deps.states.values()][0], { timeoutMs: 30_000, what: 'the project' })
    fake.deps.states.set(
      id,
      projectState({ id, revision: 9, status: 'failed', error: { code: error, message: 'broke' } }),
    )
    const { code, stdout, stderr } = await running
    assert.deepEqual([code, json(stdout).status], [expected, 'failed'])
    assert.match(stderr, /✖ failed: broke/)
  }
})

test('run: Ctrl+C leaves the project alone and ends with 130', async () => {
  await using fake = await startFake()
  let interrupt = () => {}
  const running = fake.cli(['run', 'hello', '--set', 'text=hi'], {
    onChild: (child) => (interrupt = () => child.kill('SIGINT')),
  })
  const { id } = await until(() => [...fake.deps.states.values()][0], { timeoutMs: 30_000, what: 'the project' })
  interrupt()
  const { code, stderr } = await running
  assert.equal(code, 130, stderr)
  assert.equal(fake.deps.states.get(id)?.status, 'queued')
})

test('run: what is wrong with the input is said, field by field', async () => {
  await using fake = await startFake()
  const refused = await fake.cli(['run', 'hello'])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /error: input\.text: expected string\n {2}\/input\/text: expected string/)
  assert.equal((await fake.cli(['run', 'nope'])).code, 4)
  writeFileSync(join(fake.folder, 'list.json'), '[1]')
  assert.equal((await fake.cli(['run', 'hello', '--input', 'list.json'])).code, 2)
  assert.equal((await fake.cli(['run', 'hello', '--input', 'missing.json'])).code, 2)
  assert.equal((await fake.cli(['run', 'hello', '--set', 'x'])).code, 2)
})

test('run --no-wait only prints the id', async () => {
  await using fake = await startFake()
  const { code, stdout } = await fake.cli(['run', 'hello', '--set', 'text=hi', '--no-wait'])
  assert.deepEqual([code, stdout], [0, `${[...fake.deps.states.keys()][0]}\n`])
})

test('projects, project, cancel, resume, rerun', async () => {
  await using fake = await startFake()
  fake.deps.states.set('p1', projectState({ status: 'failed', title: 'Moon' }))
  const list = await fake.cli(['projects', '--status', 'failed'])
  assert.match(list.stdout, /^p1 {2}hello {2}failed {2}100 % {2}.* ago {2}Moon\n$/)
  assert.equal(json((await fake.cli(['projects', '--json'])).stdout).length, 1)
  assert.equal((await fake.cli(['projects', '--limit', '0'])).code, 2)
  assert.match(
    (await fake.cli(['project', 'p1'])).stdout,
    /Moon\np1, hello, failed, 100 %\n\nshout +completed +100 % +0\.8 s +builtin/,
  )
  const outcome = async (...args: string[]) => (await fake.cli(args)).code
  assert.equal(await outcome('rerun', 'p1', '--stage', 'shout'), 0)
  assert.equal(await outcome('rerun', 'p1', '--stage', 'none'), 4)
  assert.equal(await outcome('cancel', 'p1'), 0)
  assert.equal(fake.deps.states.get('p1')?.status, 'cancelled')
  assert.equal(await outcome('resume', 'p1'), 0)
  assert.equal(await outcome('project', 'nobody'), 4)
  fake.deps.states.set('p1', projectState())
  assert.equal(await outcome('cancel', 'p1'), 5)
})

test('the token is sent, and its lack is an error', async () => {
  await using fake = await startFake({ auth: { operatorToken: 't0ken', users: [], oneTime: createOneTimeLogins() } })
  assert.equal((await fake.cli(['projects'], { env: { API_TOKEN: 't0ken' } })).code, 0)
  const refused = await fake.cli(['projects', '--json'])
  assert.deepEqual([refused.code, json(refused.stdout).error.code], [1, 'unauthorized'])
  assert.match(refused.stderr, /^error: .*\n {2}Set API_TOKEN to the token that the server has; /)
})

test('redis-url: without the password unless asked', async () => {
  await using fake = await startFake()
  assert.equal((await fake.cli(['redis-url'])).stdout, 'redis://127.0.0.1:7777/0\n')
  mkdirSync(join(fake.folder, 'redis'))
  writeFileSync(join(fake.folder, 'redis/redis.conf'), 'bind 127.0.0.1\nport 7777\nrequirepass s3cret\n')
  assert.equal((await fake.cli(['redis-url', '--with-password'])).stdout, 'redis://default:s3cret@127.0.0.1:7777/0\n')
  assert.deepEqual(json((await fake.cli(['redis-url', '--json'])).stdout), { url: 'redis://127.0.0.1:7777/0' })
})

test('doctor sees the server, wherever it listens', async () => {
  await using fake = await startFake()
  const { stdout } = await fake.cli(['doctor'], { env: { PORT: '1' } })
  assert.match(stdout, new RegExp(`✔ {2}server +runs at ${fake.url}`))
})

test('a server that does not answer in time ends with 124', async () => {
  await using fake = await startFake()
  fake.deps.projects.list = () => new Promise<never>(() => {})
  const { code, stderr } = await fake.cli(['projects', '--timeout', '1'])
  assert.equal(code, 124, stderr)
})

test('workers, restart, scale', async () => {
  await using fake = await startFake()
  const list = await fake.cli(['workers'])
  assert.equal(list.code, 0, list.stderr)
  assert.match(list.stdout, /✔ {2}io-1 +4713 +ready +1 min 1 s +80 MB +1\.5 % +42 +shout of p1/)
  assert.match(list.stdout, /io-1 was started again 2 times; before, it was ended by SIGKILL \(2026-/)
  assert.equal(json((await fake.cli(['workers', '--json'])).stdout)[0].jobs_done, 42)
  const restarted = await fake.cli(['restart', 'io-1'])
  assert.deepEqual([restarted.code, restarted.stdout], [0, 'io-1 is being replaced\n'])
  assert.equal((await fake.cli(['restart', 'redis'])).code, 5)
  assert.equal((await fake.cli(['restart', 'io-7'])).code, 4)
  const scaled = await fake.cli(['scale', 'io', '3'])
  assert.deepEqual([scaled.code, scaled.stdout], [0, 'io: io-1, io-2, io-3\nasked for by operator\n'])
  assert.equal((await fake.cli(['scale', 'io', 'many'])).code, 2)
  const none = await fake.cli(['scale', 'io', '0'])
  assert.equal(none.code, 2)
  assert.match(none.stderr, /^error: processes: .*\n$/)
  assert.equal((await fake.cli(['scale', 'none', '2'])).code, 4)
})
