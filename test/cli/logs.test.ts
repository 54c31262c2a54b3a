/** `logs`: the same lines from a server and from the disk, however many, and a server that goes away is said. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startServer } from '../../src/api/server.ts'
import { type ReadPage, readWanted, type Wanted } from '../../src/cli/log-pages.ts'
import { createClient } from '../../src/client/client.ts'
import { openChronicle } from '../../src/launch/chronicle.ts'
import { createKnownProcesses } from '../../src/launch/known-processes.ts'
import { type LogFiles, openLogFiles } from '../../src/launch/log-files.ts'
import { createLogReader } from '../../src/launch/log-reader.ts'
import type { AppError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { until } from '../../src/lib/until.ts'
import { dataLayout } from '../../src/project/layout.ts'
import { fakeApp, fakeDeps } from '../api/deps.ts'
import { tempFolder } from '../helpers/temp.ts'
import { runCli } from './harness.ts'

const LINES = 2_500

/** A data folder with `lines` lines of io-1, one each second, of which every second one is one of redis. */
async function fill(t: TestContext, lines: number) {
  let close = async () => {}
  t.after(() => close()) // before the folder goes
  const folder = await tempFolder(t)
  let seconds = Date.now() / 1_000 - lines
  const nowUs = () => Math.floor(++seconds * 1e6)
  const files = await openLogFiles({ folder: dataLayout(folder).logs, onFault: (error) => assert.fail(error!), nowUs })
  close = files.close
  for (let n = 0; n < lines; n++) say(files, n)
  files.flushSync()
  return { folder, files }
}

function say(files: LogFiles, n: number): void {
  files.write({ process: n % 2 ? 'redis' : 'io-1', pid: 1, stream: 'stdout', level: 'info', message: `line ${n}` })
}

/** Announces itself in the folder, as `npm start` does. */
async function serve(folder: string, files: LogFiles) {
  const deps = fakeDeps({ logs: createLogReader(files, async () => []) })
  const server = await startServer(fakeApp(deps), { host: '127.0.0.1', port: 0, log: silentLog })
  announce(folder, server.url)
  const stop = () => server.close(0).finally(deps[Symbol.dispose])
  return { url: server.url, stop }
}

function announce(folder: string, url: string): void {
  writeFileSync(join(folder, 'run.json'), JSON.stringify({ pid: 1, url, run_id: 'r', started_at: '' }))
}

const numbers = (text: string) => [...text.matchAll(/line (\d+)/g)].map(([, n]) => Number(n))
const range = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step)

const LATER = '2099-01-01T00:00:00Z'

const ASKED: [wanted: Wanted, shown: number[]][] = [
  [{}, range(LINES - 200, LINES)],
  [{ limit: 2_300 }, range(LINES - 2_300, LINES)],
  [{ limit: 5_000 }, range(0, LINES)],
  [{ process: 'redis', limit: 1_100 }, range(LINES - 2_199, LINES, 2)],
  [{ since: '0' }, range(0, LINES)],
  [{ process: 'io-1', since: '0' }, range(0, LINES, 2)],
  [{ since: '0', limit: 3 }, range(LINES - 3, LINES)],
  [{ since: LATER }, []],
  [{ since: LATER, limit: 5 }, []],
]

test('a server and the disk give the same lines, however many', async (t) => {
  const { folder, files } = await fill(t, LINES)
  const all = (await files.page({ limit: LINES })).items
  const [at, id] = [new Date(Date.parse(all.at(-1_500)!.at)).toISOString(), String(all.at(-5)!.id)]
  const asked: typeof ASKED = [
    ...ASKED,
    [{ since: at }, range(LINES - 1_500, LINES)],
    [{ since: at, limit: 2_000 }, range(LINES - 1_500, LINES)],
    [{ since: id, limit: 3 }, range(LINES - 3, LINES)],
    [{ since: id }, range(LINES - 4, LINES)],
  ]
  const server = await serve(folder, files)
  t.after(server.stop)
  const { page: online } = createClient({ url: server.url }).logs
  const { page: offline } = createLogReader(files, async () => [])
  for (const [wanted, shown] of asked)
    for (const read of [online, offline]) {
      const seen: number[] = []
      const { next } = await readWanted(read, wanted, (lines) => seen.push(...numbers(JSON.stringify(lines))))
      assert.deepEqual(seen, shown, JSON.stringify(wanted))
      const last = all.findLast(({ process }) => process === (wanted.process ?? process))!.id
      assert.equal(Number(next), wanted.since === LATER ? Date.parse(LATER) * 1_000 - 1 : last)
    }
})

test('all since a moment is what was there when it was asked for', async (t) => {
  const { files } = await fill(t, LINES)
  const { page } = createLogReader(files, async () => [])
  let written = LINES
  const busy: ReadPage = async (query) => {
    const answer = await page(query)
    for (let n = 0; n < 10; n++) say(files, written++)
    return answer
  }
  const seen: number[] = []
  await readWanted(busy, { since: '0' }, (lines) => seen.push(...numbers(JSON.stringify(lines))))
  assert.deepEqual(seen, range(0, LINES))
})

test('the command prints them all, with a server and without', async (t) => {
  const { folder, files } = await fill(t, LINES)
  for (const online of [true, false]) {
    const server = online ? await serve(folder, files) : undefined
    if (!server) rmSync(join(folder, 'run.json'))
    const since = await runCli(folder, ['logs', '--since', '1d', '--no-color'])
    assert.deepEqual([since.code, numbers(since.stdout)], [0, range(0, LINES)], since.stderr)
    const last = await runCli(folder, ['logs', '--json', '-n', '1500'])
    const { items, next } = JSON.parse(last.stdout)
    assert.deepEqual([items.length, next], [1_500, String(items.at(-1).id)])
    await server?.stop()
  }
})

test('a process that printed nothing has a log without lines; a name that nobody knows is an error', async (t) => {
  const { folder, files } = await fill(t, 2)
  const chronicle = await openChronicle(dataLayout(folder).logs, { clean: (text) => text, onFault: assert.ifError })
  const about = { at: new Date().toISOString(), run: 'r1', event: 'spawned', text: 'x', cause: null, facts: {} }
  chronicle.append({ ...about, process: 'io-2' })
  await chronicle.close()
  const known = createKnownProcesses({
    folder: dataLayout(folder).logs,
    groups: [{ name: 'io', queues: [], processes: 3 }],
  })
  const { page, follow } = createLogReader(files, known)
  for (const process of ['scheduler', 'io-2', 'io-3', 'io-2.old'])
    assert.deepEqual((await page({ process, limit: 1 })).items, [], process)
  const signal = AbortSignal.abort()
  await assert.rejects(follow({ process: 'io-4', limit: 1, signal }), {
    code: 'not_found',
    message: 'There is no process io-4; there are io-1, io-2, io-3, redis, scheduler, supervisor',
  })
  for (const [process, code] of [
    ['scheduler', 0],
    ['media-1', 0],
    ['io-2', 0],
    ['media-7', 4],
  ] as const) {
    const offline = await runCli(folder, ['logs', process])
    assert.deepEqual([offline.code, offline.stdout], [code, ''], offline.stderr)
    assert.match(offline.stderr, code === 0 ? /\nNo lines\.\n$/ : /There is no process media-7; there are .*io-2/)
  }
})

test('following a server that does not answer is an error at once', async (t) => {
  const { folder } = await fill(t, 3)
  announce(folder, 'http://127.0.0.1:1')
  const { code, stdout, stderr } = await runCli(folder, ['logs', '-f'])
  assert.deepEqual([code, stdout], [69, ''], stderr)
  assert.match(stderr, /error: Showrunner does not answer at http:\/\/127\.0\.0\.1:1/)
  const client = createClient({ url: 'http://127.0.0.1:1' })
  await assert.rejects(
    () => client.logs.follow().next(),
    (error: AppError) => error.code === 'unavailable',
  )
})

test('who follows is told that the server is away, once, and follows it to another port', async (t) => {
  const { folder, files } = await fill(t, 10)
  const first = await serve(folder, files)
  let seen = ''
  let said = ''
  const shows = (n: number) => until(() => seen.includes(`line ${n}\n`), { timeoutMs: 20_000, what: `line ${n}` })
  const following = runCli(folder, ['logs', '-f', '-n', '2', '--no-color'], {
    onChild(child) {
      child.stdout!.on('data', (text) => (seen += text))
      child.stderr!.on('data', (text) => (said += text))
      t.after(() => child.kill('SIGKILL'))
      void (async () => {
        await shows(9)
        say(files, 10)
        await shows(10)
        await first.stop()
        await until(() => said.includes('\n'), { timeoutMs: 20_000, what: 'a word' })
        say(files, 11)
        const second = await serve(folder, files)
        await shows(11)
        const ended = once(child, 'exit')
        child.kill('SIGINT')
        await ended // else it could see the server go before it sees the signal
        await second.stop()
      })().catch((error) => child.emit('error', error))
    },
  })
  const { code, stdout, stderr } = await following
  assert.deepEqual([code, stderr], [130, 'The server does not answer any more; waiting until it does.\n'])
  assert.deepEqual(numbers(stdout), [8, 9, 10, 11])
})
