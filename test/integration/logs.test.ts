/** The program's logs: no secret in them, whatever is printed; a flood costs little and loses nothing within bounds. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LogLine } from '../../src/api/schemas/logs.ts'
import { createClient } from '../../src/client/client.ts'
import { statOf } from '../../src/lib/process-tree.ts'
import { until } from '../../src/lib/until.ts'
import { runCli } from '../cli/harness.ts'
import { createInstallation } from '../helpers/installation.ts'
import { startProject } from '../helpers/started-project.ts'
import { tempFolder } from '../helpers/temp.ts'
import { untilStatus, workerOf } from '../helpers/wait.ts'

const TOKEN = 'the-operators-very-own-token'
const SHAPED = 'abcdefghijklmnop'
const KEY = 'a-key-that-has-no-shape-at-all'
const INHERITED = 'a-variable-that-children-inherit'

test('secrets that a stage prints are nowhere: not on the terminal, not in files, not in the API', async (t) => {
  const text = `${KEY} ${INHERITED} sk-${SHAPED} Bearer ${SHAPED} http://x:hunter22@h/?token=onetimeonly`
  const env = { SHOP_SECRET: INHERITED, OPENAI_API_KEY: KEY, OPENAI_BASE_URL: 'http://127.0.0.1:9', TEXT_MODEL: 'none' }
  const { instance, layout, id } = await startProject(t, {
    pipeline: 'print',
    input: { lines: 3, text },
    start: { env },
  })
  await untilStatus({ layout, id }, 'completed')
  // What it has printed is read a moment after it has written down that it has ended.
  const printed = async () => {
    const { items } = await instance.api.logs.page({ process: 'io-1', limit: 1000 })
    const hasAll = items.some(({ message }) => message === 'printed last')
    return hasAll && items.some(({ stream, level }) => stream === 'stderr' && level === 'warn') && items
  }
  const items = await until(printed, { timeoutMs: 20_000, what: 'all that it has printed' })
  assert.equal(items.filter(({ message }) => message.startsWith('printed')).length, 4)
  const redisPassword = /^requirepass (\S+)$/m.exec(readFileSync(join(layout.redis, 'redis.conf'), 'utf8'))![1]!
  const files = readdirSync(layout.logs).map((file) => readFileSync(join(layout.logs, file), 'utf8'))
  const status = JSON.stringify([await instance.api.status(), await instance.api.explain('io-1')])
  for (const place of [JSON.stringify(items), ...files, status, instance.output()])
    for (const secret of [KEY, INHERITED, SHAPED, 'hunter22', 'onetimeonly', redisPassword])
      assert.ok(!place.includes(secret), `${secret} is said`)
})

test('secrets in the error of a stage are in nothing that is kept or told of it', async (t) => {
  const env = { SHOP_SECRET: INHERITED, OPENAI_API_KEY: KEY, OPENAI_BASE_URL: 'http://127.0.0.1:9', TEXT_MODEL: 'none' }
  const input = { lines: 0, text: '', fail: true }
  const { instance, layout, id, paths } = await startProject(t, { pipeline: 'print', input, start: { env } })
  const { stages } = await untilStatus({ layout, id }, 'failed')
  assert.equal(stages[0]!.error!.message, 'refused *** and ***, Bearer ***')
  const told = JSON.stringify([await instance.api.projects.get(id), await instance.api.projects.list()])
  const kept = [paths.journal, paths.state].map((path) => readFileSync(path, 'utf8'))
  for (const place of [told, ...kept, readFileSync(layout.catalog, 'utf8'), instance.output()])
    for (const secret of [KEY, INHERITED, SHAPED]) assert.ok(!place.includes(secret), `${secret} is said`)
})

test('an unexpected error of the program says where it happened, and no secret', async (t) => {
  const path = join(await tempFolder(t), 'pid')
  const preload = new URL('../fixtures/preloads/unexpected-error.ts', import.meta.url)
  const env = { SHOP_SECRET: INHERITED, TEST_ERROR_FILE: path, NODE_OPTIONS: `--import=${preload.href}` }
  const { start, layout } = await createInstallation(t, { env })
  const instance = await start()
  writeFileSync(path, String(instance.supervisorPid))
  assert.deepEqual(await instance.ended(20_000), { code: 1, signal: null })
  const log = readFileSync(join(layout.logs, 'supervisor.log'), 'utf8')
  for (const place of [instance.output(), log]) {
    assert.match(place, /TypeError: no such thing as \*\*\*; password=\*\*\*/)
    assert.match(place, /at \S*whereItHappens/)
    assert.doesNotMatch(place, /hunter22/)
    assert.ok(!place.includes(INHERITED))
  }
})

test('with tokens the logs are the operator’s alone, and the token is not in them', async (t) => {
  const env = { API_TOKEN: TOKEN, API_TOKENS: 'ann:anns-secret-token' }
  const installation = await createInstallation(t, { env })
  const { url } = await installation.start()
  for (const path of ['/api/v1/logs', '/status?explain=io-1']) {
    assert.equal((await fetch(url + path)).status, 401)
    assert.equal((await fetch(url + path, { headers: { authorization: 'Bearer anns-secret-token' } })).status, 403)
  }
  const page = await createClient({ url, token: TOKEN }).logs.page()
  assert.ok(page.items.length > 0)
  assert.doesNotMatch(JSON.stringify(page), /operators-very-own|anns-secret/)
})

/** Of 0.9 KB each: 100 MB, many times what the files of the log hold. */
const FLOOD = 120_000

test('a flood: the API stays quick, memory and files stay small, and the terminal tells what it leaves out', async (t) => {
  const text = 'x'.repeat(870)
  const { instance, layout, id, gates } = await startProject(t, {
    pipeline: 'print',
    held: ['print'],
    input: { lines: FLOOD, text },
    start: { via: 'npm' }, // with the limits on memory that users get
  })
  const rssBefore = rssOf(instance.supervisorPid)
  gates.release('print')
  const delays: number[] = []
  let slowestPageMs = 0
  let rss = 0
  const page = async (process?: string) => {
    const startMs = performance.now()
    const { items } = await instance.api.logs.page({ process, limit: 20 })
    slowestPageMs = Math.max(slowestPageMs, performance.now() - startMs)
    return items
  }
  const isOver = async () => {
    const startMs = performance.now()
    await instance.api.livez()
    delays.push(performance.now() - startMs)
    rss = Math.max(rss, rssOf(instance.supervisorPid))
    assert.equal((await page()).length, 20)
    return (await page('io-1')).some(({ message }) => message === 'printed last')
  }
  await until(isOver, { timeoutMs: 120_000, everyMs: 10, what: 'the flood to be over' })
  await untilStatus({ layout, id }, 'completed')
  delays.sort((a, b) => a - b)
  const p95 = delays[Math.floor(delays.length * 0.95)]!
  t.diagnostic(
    `livez p95 ${p95.toFixed(1)} ms of ${delays.length}, slowest page ${slowestPageMs.toFixed(0)} ms, ` +
      `${Math.round((rss - rssBefore) / 2 ** 20)} MB more`,
  )
  assert.ok(p95 < 500, `the API answered within ${p95} ms`)
  assert.ok(slowestPageMs < 10_000, `a page of logs took ${slowestPageMs} ms`)
  assert.ok(rss - rssBefore < 64 * 2 ** 20, `it took ${(rss - rssBefore) / 2 ** 20} MB more`)
  const sizes = readdirSync(layout.logs).map((file) => statSync(join(layout.logs, file)).size)
  assert.ok(Math.max(...sizes) <= 5 * 2 ** 20, 'no file is larger than allowed')
  assert.ok(sizes.length <= 3 * 4 + 2)
  const shown = instance
    .output()
    .split('\n')
    .filter((line) => line.includes('"printed ')).length
  assert.ok(shown > 0 && shown < FLOOD / 4, `${shown} lines are on the terminal`)
  assert.match(instance.output(), /\d+ more lines are not shown here; they are in .*logs\/io-1\.log/)
})

function rssOf(pid: number): number {
  return statOf(pid)!.rssPages * 4_096
}

test('who follows gets every line once and in order, through rotations and a cut', async (t) => {
  const lines = 12_000
  const { instance, gates } = await startProject(t, {
    pipeline: 'print',
    held: ['print'],
    input: { lines, text: 'x'.repeat(870), perTurn: 20 },
  })
  const seen: number[] = []
  const { items, next } = await instance.api.logs.page({ limit: 1 })
  assert.equal(items.length, 1)
  gates.release('print')
  for (let since = next; seen.length < lines; ) {
    const cut = new AbortController()
    const until = seen.length + lines / 3
    const following = instance.api.logs.follow({ process: 'io-1', since }, { signal: cut.signal })
    try {
      for await (const line of following) {
        assert.ok(!('lost' in line), JSON.stringify(line))
        since = String(line.id)
        const number = numberIn(line)
        if (number !== undefined) seen.push(number)
        if (number === lines - 1 || seen.length > until) cut.abort(new Error('cut'))
      }
    } catch (error) {
      if (!cut.signal.aborted) throw error
    }
  }
  assert.deepEqual(
    seen,
    Array.from({ length: lines }, (_, n) => n),
  )
})

function numberIn({ message }: LogLine): number | undefined {
  const found = /^printed (\d+) /.exec(message)?.[1]
  return found === undefined ? undefined : Number(found)
}

test('the command line prints logs, of a server and of the disk', async (t) => {
  const { installation, instance } = await startProject(t)
  const { pid } = await workerOf(instance, 'io-1')
  const cli = (...args: string[]) => runCli(installation.dataDir, ['logs', ...args])
  const one = await cli('supervisor', '--limit', '500')
  assert.match(one.stdout, new RegExp(`supervisor │ io-1 was started as process ${pid}`))
  assert.equal((await cli('nobody')).code, 4)
  assert.equal((await cli('--since', 'soon')).code, 2)
  const json = await cli('--json', '--since', '1h', '-n', '5')
  assert.equal(JSON.parse(json.stdout).items.length, 5)
  let seen = ''
  let isTold = false
  const followed = await runCli(installation.dataDir, ['logs', 'supervisor', '--follow', '--json', '-n', '3'], {
    onChild(child) {
      child.stdout!.on('data', (text) => {
        seen += text
        if (seen.split('\n').length > 3 && !isTold) isTold = child.kill('SIGINT') // a second one would end it at once
      })
    },
  })
  assert.deepEqual([followed.code, followed.stderr], [130, ''], 'it would go on; Ctrl+C ends it without a word')
  const shown = followed.stdout.trim().split('\n')
  assert.ok(shown.length >= 3)
  for (const line of shown) assert.equal(JSON.parse(line).process, 'supervisor')
  instance.signal('SIGTERM')
  await instance.ended(20_000)
  const offline = await cli('supervisor')
  assert.deepEqual([offline.code, /stopped in \d+ ms, no process left/.test(offline.stdout)], [0, true], offline.stderr)
})
