/** Starts that cannot or must not succeed: each says why, in one go, and leaves nothing behind. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import type { RunFile } from '../../src/launch/data-folder.ts'
import { acquireLock, type Lock } from '../../src/lib/lock.ts'
import { until } from '../../src/lib/until.ts'
import { createInstallation, type Installation } from '../helpers/installation.ts'
import { startProject } from '../helpers/started-project.ts'
import { untilHealthy, untilStatus } from '../helpers/wait.ts'
import { startPlainRedis } from '../redis/redis-process.ts'

test('a second start on the same data folder says where the first serves, and exits with 0', async (t) => {
  const installation = await createInstallation(t)
  const first = await installation.start()
  const second = installation.launch()
  assert.deepEqual(await second.ended(30_000), { code: 0, signal: null })
  assert.ok(second.output().includes(first.url), second.output())
  assert.ok(second.output().includes(`pid ${first.supervisorPid}`), second.output())
  await untilHealthy(first)
  assert.equal((await installation.processes()).length, 4)
})

test('a start while another one is on its way says so once, and takes the folder over when that fails', async (t) => {
  const installation = await createInstallation(t)
  const other = await holdFolder(t, installation)
  const program = installation.launch()
  const said = () => program.facts('progress').filter(({ sentence }) => /another start holds/.test(sentence)).length
  await until(() => said() > 0, { timeoutMs: 30_000, what: 'a word on the wait' })
  const saidMs = performance.now()
  await until(() => performance.now() - saidMs > 1_000, { timeoutMs: 5_000, what: 'some more waiting' })
  other.release()
  const { url } = await program.ready()
  assert.equal(said(), 1)
  await untilHealthy({ api: createClient({ url }) })
})

test('a start during a stop waits for its end, and serves then', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { held: ['write-2'] })
  instance.signal('SIGTERM')
  await until(() => instance.facts('stopping').length > 0, {
    timeoutMs: 15_000,
    everyMs: 10,
    what: 'the stop to begin',
  })
  const next = installation.launch()
  const said = () =>
    next.facts('progress').filter(({ sentence }) => /is stopping; waiting for it to end/.test(sentence))
  await until(() => said().length > 0, { timeoutMs: 15_000, what: 'a word on the wait' })
  const run = JSON.parse(await readFile(layout.run, 'utf8')) as RunFile
  assert.deepEqual([run.url, run.pid, run.stopping], [instance.url, instance.supervisorPid, true], 'for the CLI')
  gates.release('write-2')
  assert.deepEqual(await instance.ended(30_000), { code: 0, signal: null })
  await next.ready()
  await untilStatus({ layout, id }, 'completed')
})

test('Ctrl+C while it waits for another start: exit 0 at once', async (t) => {
  const installation = await createInstallation(t)
  const other = await holdFolder(t, installation)
  const program = installation.launch()
  await until(() => program.output().includes('another start holds'), { timeoutMs: 30_000 })
  program.signal('SIGINT')
  assert.deepEqual(await program.ended(15_000), { code: 0, signal: null })
  other.release()
})

test('of 20 starts at the same instant exactly one serves, and the others say where', async (t) => {
  const installation = await createInstallation(t)
  const programs = Array.from({ length: 20 }, () => installation.launch())
  const ends = await Promise.all(programs.map((p) => Promise.race([p.exit, p.ready(60_000).catch(() => p.exit)])))
  const serving = programs.filter((p) => p.exited() === null)
  assert.equal(serving.length, 1)
  const { url } = await serving[0]!.ready()
  for (const [i, program] of programs.entries()) {
    if (program === serving[0]) continue
    assert.deepEqual(ends[i], { code: 0, signal: null })
    assert.ok(program.output().includes(url), program.output())
  }
  assert.equal((await installation.processes()).length, 4)
  await untilHealthy({ api: createClient({ url }) })
})

test('a whole stop that would not fit into what the outside allows is warned of', async (t) => {
  const installation = await createInstallation(t)
  const program = installation.launch({ env: { LOG_FORMAT: 'pretty', LOG_LEVEL: 'info', STOP_TIMEOUT_S: '6' } })
  await until(() => program.output().includes('Ctrl+C stops'), { timeoutMs: 40_000, what: 'the lines of the start' })
  assert.match(
    program.output(),
    /▲ stop +whoever runs this kills after 6 s, a whole stop may take 28: allow it 40, and say so with STOP_TIMEOUT_S=40/,
  )
})

test('a port that is taken: exit 5, and who has it', async (t) => {
  const installation = await createInstallation(t)
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => void other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const program = installation.launch({ env: { PORT: String(port) } })
  assert.deepEqual(await program.ended(30_000), { code: 5, signal: null })
  assert.ok(program.output().includes(`Port ${port} is taken`), program.output())
  assert.ok(program.output().includes(`pid ${process.pid}`), program.output())
  assert.ok(!existsSync(installation.layout.run))
})

test('wrong settings are reported all together, exit 2, before anything is made', async (t) => {
  const installation = await createInstallation(t, {
    env: { PORT: 'eighty', LOG_LEVEL: 'loud', RESUME: 'maybe', LLM_CONCURRENCY: '0' },
  })
  const program = installation.launch()
  assert.deepEqual(await program.ended(30_000), { code: 2, signal: null })
  for (const name of ['PORT', 'eighty', 'LOG_LEVEL', 'loud', 'RESUME', 'maybe', 'LLM_CONCURRENCY'])
    assert.ok(program.output().includes(name), `${name} in: ${program.output()}`)
  assert.ok(!existsSync(installation.layout.identity))
})

test('an unknown flag: exit 2', async (t) => {
  const program = (await createInstallation(t)).launch({ args: ['--prot', '1'] })
  assert.deepEqual(await program.ended(30_000), { code: 2, signal: null })
  assert.ok(program.output().includes('--prot'))
})

test('a data folder that cannot be made: exit 2, and which it is', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'showrunner-file-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'a-file')
  await writeFile(file, '')
  const installation = await createInstallation(t)
  const program = installation.launch({ env: { DATA_DIR: join(file, 'data') } })
  assert.deepEqual(await program.ended(30_000), { code: 2, signal: null })
  assert.ok(program.output().includes(join(file, 'data')), program.output())
  assert.ok(program.output().includes('DATA_DIR'), program.output())
})

test('an address that others can reach is refused without a token: exit 2', async (t) => {
  const program = (await createInstallation(t)).launch({ env: { HOST: '0.0.0.0' } })
  assert.deepEqual(await program.ended(30_000), { code: 2, signal: null })
  assert.match(program.output(), /token/i)
})

test('--new-token makes a private token, with which, and only with which, the API answers', async (t) => {
  const installation = await createInstallation(t)
  const instance = await installation.start({ args: ['--new-token'], env: { HOST: '0.0.0.0' } })
  const { mode } = await stat(installation.layout.token)
  assert.equal(mode & 0o777, 0o600)
  const { loginUrl } = instance.facts('ready')[0]!
  assert.match(loginUrl!, /\/login\?token=/)
  const url = instance.url.replace('0.0.0.0', '127.0.0.1')
  assert.equal((await fetch(`${url}/api/v1/projects`)).status, 401)
  const token = (await readFile(installation.layout.token, 'utf8')).trim()
  assert.ok(!instance.output().includes(token), 'the token itself is never printed')
  const { items } = await createClient({ url, token }).projects.list()
  assert.deepEqual(items, [])
})

test('a Redis that would throw queued work away is refused: exit 69, and why', async (t) => {
  const installation = await createInstallation(t)
  const redis = await startPlainRedis(t, ['--maxmemory-policy', 'allkeys-lru'])
  const program = installation.launch({ env: { REDIS: 'attach', REDIS_URL: redis.url } })
  assert.deepEqual(await program.ended(30_000), { code: 69, signal: null })
  assert.match(program.output(), /allkeys-lru.*noeviction/s)
})

/** As a start does that has not come to serve. */
async function holdFolder(t: TestContext, { layout }: Installation): Promise<Lock> {
  const lock = await acquireLock(layout.lock)
  assert.ok(lock)
  t.after(lock.release)
  return lock
}

test('an Idempotency-Key that has expired is removed soon after a start, and no other one', async (t) => {
  const { start, layout } = await createInstallation(t)
  const [old, young] = ['old.json', 'young.json'].map((name) => join(layout.idempotency, name))
  mkdirSync(layout.idempotency, { recursive: true })
  for (const path of [old!, young!]) writeFileSync(path, '{}')
  const expired = Date.now() / 1_000 - 25 * 3_600
  utimesSync(old!, expired, expired)
  await start()
  await until(() => !existsSync(old!), { timeoutMs: 30_000, what: 'the expired key to be removed' })
  assert.ok(existsSync(young!))
})
