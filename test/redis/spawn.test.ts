/** A Redis of our own: its configuration, its secrets, and what survives which end. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { identityOf, isAlive } from '../../src/lib/process-tree.ts'
import { until } from '../../src/lib/until.ts'
import { openRedis } from '../../src/redis/client.ts'
import { pingRedis } from '../../src/redis/knock.ts'
import { addressOf } from '../../src/redis/place.ts'
import { probeRedis } from '../../src/redis/probe.ts'
import { redisConf } from '../../src/redis/spawn.ts'
import { superviseOwnRedis, temporaryFolder } from './redis-process.ts'

const WAIT = { timeoutMs: 10_000, everyMs: 10 }

test('the configuration as a text', () => {
  assert.equal(
    redisConf({ folder: '/data/a "b"/redis', port: 20_001, password: 'pw' }),
    `bind 127.0.0.1
port 20001
requirepass pw
daemonize no
supervised no
set-proc-title no
logfile ""
dir "/data/a \\"b\\"/redis"
save ""
appendonly yes
appendfsync everysec
aof-load-truncated yes
maxmemory 0
maxmemory-policy noeviction
`,
  )
})

test('it serves with a password that is in a private file and in no argument, and passes our own checks', async (t) => {
  const dataDir = await temporaryFolder(t)
  const redis = await superviseOwnRedis(t, dataDir)
  await redis.supervisor.start()
  const password = new URL(redis.place.url).password
  assert.match(password, /^[0-9a-f]{48}$/)
  assert.equal((await stat(join(dataDir, 'redis', 'redis.conf'))).mode & 0o777, 0o600)
  const argv = await readFile(`/proc/${redis.pid()}/cmdline`, 'utf8')
  assert.ok(argv.includes('redis-server') && !argv.includes(password))
  assert.ok(!redis.place.describe().includes(password))
  const probe = await probeRedis(redis.place.url, 10_000)
  assert.ok(probe.state === 'answers')
  assert.deepEqual({ policy: probe.policy, aof: probe.aof }, { policy: 'noeviction', aof: true })
  assert.equal(await pingRedis(addressOf(redis.place.url), 'another'), false)
})

test('what was acknowledged survives a kill, and the same place serves again', async (t) => {
  const redis = await superviseOwnRedis(t, await temporaryFolder(t))
  await redis.supervisor.start()
  const client = openRedis(redis.place, 'patient')
  t.after(() => client.disconnect())
  await client.set('kept', 'yes')
  process.kill(redis.pid(), 'SIGKILL')
  await until(() => redis.facts.filter(({ type }) => type === 'child_ready').length === 2, WAIT)
  assert.equal(await client.get('kept'), 'yes')
})

test('SIGKILL of the supervisor ends it too, with its file written', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const dataDir = await temporaryFolder(t)
  const fixture = fileURLToPath(new URL('../fixtures/children/redis-parent.ts', import.meta.url))
  const parent = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', fixture, dataDir])
  t.after(() => void parent.kill('SIGKILL'))
  const [line] = (await once(parent.stdout, 'data', { signal: AbortSignal.timeout(60_000) })) as [Buffer]
  const { pid, url } = JSON.parse(line.toString()) as { pid: number; url: string }
  const redis = identityOf(pid)
  const client = openRedis({ url }, 'patient', { retryStrategy: null })
  await client.set('kept', 'yes')
  parent.kill('SIGKILL')
  await until(() => !isAlive(redis), { timeoutMs: 20_000, everyMs: 10, what: 'Redis to end' })
  const again = await superviseOwnRedis(t, dataDir)
  await again.supervisor.start()
  const reader = openRedis(again.place, 'patient')
  t.after(() => reader.disconnect())
  assert.equal(await reader.get('kept'), 'yes')
})

test('a stop asks politely, and the files are complete', async (t) => {
  const dataDir = await temporaryFolder(t)
  const redis = await superviseOwnRedis(t, dataDir)
  await redis.supervisor.start()
  const client = openRedis(redis.place, 'patient')
  for (let i = 0; i < 100; i++) await client.rpush('list', i)
  client.disconnect()
  await redis.stop()
  const stopped = redis.facts.find((fact) => fact.type === 'child_stopped')
  assert.ok(stopped && !stopped.forced)
  const again = await superviseOwnRedis(t, dataDir)
  await again.supervisor.start()
  const reader = openRedis(again.place, 'patient')
  t.after(() => reader.disconnect())
  assert.equal(await reader.llen('list'), 100)
})

test('unreadable files are moved aside once, with the reason, and it starts empty', async (t) => {
  const dataDir = await temporaryFolder(t)
  const first = await superviseOwnRedis(t, dataDir)
  await first.supervisor.start()
  const client = openRedis(first.place, 'patient')
  await client.set('lost', 'yes')
  client.disconnect()
  await first.stop()
  const folder = join(dataDir, 'redis', 'appendonlydir')
  const increment = (await readdir(folder)).find((name) => name.endsWith('.incr.aof'))!
  await writeFile(join(folder, increment), '*3\r\n$3\r\nSET\r\nthis is not the format\r\n'.repeat(50))
  const second = await superviseOwnRedis(t, dataDir)
  await second.supervisor.start()
  const repaired = second.facts.filter((fact) => fact.type === 'child_repaired')
  assert.equal(repaired.length, 1)
  assert.match(repaired[0]!.what, /^could not read its files \(.*Bad file format.*\); they were moved to .*corrupt-/)
  const aside = (await readdir(join(dataDir, 'redis'))).find((name) => name.startsWith('corrupt-'))!
  assert.deepEqual(await readdir(join(dataDir, 'redis', aside)), ['appendonlydir'])
  const reader = openRedis(second.place, 'patient')
  t.after(() => reader.disconnect())
  assert.equal(await reader.get('lost'), null)
})

test('a second complaint, and one about the disk, are not answered by moving files', async (t) => {
  const { spec } = await superviseOwnRedis(t, await temporaryFolder(t))
  const exit = { code: 1, signal: null, reason: 'exited with code 1' }
  const full = "Fatal error: can't open the append log file for writing: No space left on device"
  assert.equal(await spec.repair!({ ...exit, lines: [full] }), null)
  const corrupt = { ...exit, lines: ['Bad file format reading the append only file x: make a backup'] }
  assert.match((await spec.repair!(corrupt))!, /starts empty/)
  assert.equal(await spec.repair!(corrupt), null)
  assert.equal(spec.onParentDeath, 'TERM')
})

test('a file that was cut short by a crash is loaded as far as it goes', async (t) => {
  const dataDir = await temporaryFolder(t)
  const first = await superviseOwnRedis(t, dataDir)
  await first.supervisor.start()
  const client = openRedis(first.place, 'patient')
  await client.set('kept', 'yes')
  client.disconnect()
  await first.stop()
  const folder = join(dataDir, 'redis', 'appendonlydir')
  const increment = (await readdir(folder)).find((name) => name.endsWith('.incr.aof'))!
  await writeFile(join(folder, increment), '*3\r\n$3\r\nSET\r\n$4\r\nlo', { flag: 'a' })
  const second = await superviseOwnRedis(t, dataDir)
  await second.supervisor.start()
  assert.deepEqual(
    second.facts.filter((fact) => fact.type === 'child_repaired'),
    [],
  )
  const reader = openRedis(second.place, 'patient')
  t.after(() => reader.disconnect())
  assert.equal(await reader.get('kept'), 'yes')
})
