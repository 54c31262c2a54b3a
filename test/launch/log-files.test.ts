/** Logs can be read page by page and followed, over rotations, restarts, torn lines and clocks that step back. */
import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, statSync } from 'node:fs'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { openLogFiles } from '../../src/launch/log-files.ts'
import { tempFolder } from '../helpers/temp.ts'

type Options = Partial<Parameters<typeof openLogFiles>[0]>

const open = (folder: string, options: Options = {}) =>
  openLogFiles({ folder, onFault: (error) => assert.fail(error!), ...options })
const said = (process: string, message: string) =>
  ({ process, pid: 1, stream: 'stdout', level: 'info', message }) as const

/** `n` lines of two processes in turn, `io-1: 0`, `redis: 1` and so on. */
async function filled(t: TestContext, n: number, options: Options = {}) {
  const folder = await tempFolder(t)
  const logs = await open(folder, options)
  for (let i = 0; i < n; i++) logs.write(said(i % 2 === 0 ? 'io-1' : 'redis', String(i)))
  return { folder, logs }
}

const messages = (items: { message: string }[]) => items.map(({ message }) => Number(message))
const range = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step)

test('the newest lines of one process or of all, in their order', async (t) => {
  const { logs } = await filled(t, 1_000)
  assert.deepEqual(messages((await logs.page({ limit: 5 })).items), range(995, 1_000))
  assert.deepEqual(messages((await logs.page({ limit: 3, process: 'io-1' })).items), [994, 996, 998])
  assert.deepEqual((await logs.page({ limit: 3, process: 'nobody' })).items, [])
  const [line] = (await logs.page({ limit: 1 })).items
  const { id, at, ...rest } = line!
  assert.ok(Math.abs(Date.parse(at) - Date.now()) < 10_000 && Math.abs(id / 1_000 - Date.parse(at)) < 10_000)
  assert.deepEqual(rest, { line: 500, ...said('redis', '999') })
  await logs.close()
})

test('page by page every line comes once, from several files of each process', async (t) => {
  const { folder, logs } = await filled(t, 3_000, { maxBytes: 120_000 })
  await logs.page({ limit: 1 })
  assert.ok(readdirSync(folder).length > 3, 'there was a rotation')
  for (const process of [undefined, 'io-1'] as const) {
    const seen: number[] = []
    let since = 0
    for (;;) {
      const { items, next } = await logs.page({ process, since, limit: 171 })
      if (items.length === 0) break
      seen.push(...messages(items))
      since = next
    }
    assert.deepEqual(seen, process ? range(0, 3_000, 2) : range(0, 3_000))
  }
  await logs.close()
})

test('what is asked for is found by time too', async (t) => {
  let ms = Date.parse('2026-01-01T10:00:00Z')
  const { logs } = await filled(t, 6_000, { nowUs: () => ++ms * 1_000 })
  const since = Date.parse('2026-01-01T10:00:03.000Z') * 1_000
  assert.deepEqual(messages((await logs.page({ since, limit: 3 })).items), [3_000, 3_001, 3_002])
  await logs.close()
})

test('a follower misses and doubles nothing, however slowly it reads and however often files are rotated', async (t) => {
  const folder = await tempFolder(t)
  const logs = await open(folder, { maxBytes: 400_000 })
  const stop = new AbortController()
  const seen: number[] = []
  let lines = 0
  const following = (async () => {
    for (let since = 0; ; ) {
      const found = await logs.next({ process: 'io-1', since, signal: stop.signal })
      since = found.at(-1)!.id
      seen.push(...messages(found.map(({ text }) => JSON.parse(text))))
      if (seen.length % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
      if (seen.length === 5_000) return
    }
  })()
  while (lines < 5_000) {
    for (let i = 0; i < 100; i++) {
      logs.write(said('io-1', String(lines++)))
      logs.write(said('other', 'x'.repeat(3_000)))
    }
    await setImmediate()
  }
  await following
  assert.deepEqual(seen, range(0, 5_000))
  assert.ok(statSync(join(folder, 'io-1.1.log')).size > 0, 'there was a rotation')
  const end = logs.next({ since: Number.MAX_SAFE_INTEGER, signal: stop.signal })
  stop.abort(new Error('enough'))
  await assert.rejects(end, /enough/)
  await logs.close()
})

type Logs = Awaited<ReturnType<typeof open>>

const WAYS: Record<string, (logs: Logs) => Promise<{ message: string }[]>> = {
  'a page behind a cursor': async (logs) => (await logs.page({ since: 0, limit: 10 })).items,
  'the newest page': async (logs) => (await logs.page({ limit: 10 })).items,
  'who follows': async (logs) => {
    const lines = await logs.next({ since: 0, signal: AbortSignal.timeout(10_000) })
    return lines.map(({ text }) => JSON.parse(text))
  },
}

for (const [way, read] of Object.entries(WAYS))
  test(`${way}: what is written while the files are measured comes later, and whole`, async (t) => {
    const { logs } = await filled(t, 4)
    const restore = betweenFiles(t, () => {
      for (const name of ['io-1', 'redis']) logs.write(said(name, name === 'io-1' ? '4' : '5'))
      logs.flushSync()
    })
    assert.deepEqual(messages(await read(logs)), range(0, 4))
    restore()
    assert.deepEqual(messages((await logs.page({ limit: 10 })).items), range(0, 6))
    await logs.close()
  })

/** `act` comes when the log of io-1 has been measured and that of redis has not. */
function betweenFiles(t: TestContext, act: () => void): () => void {
  const { open: openFile } = fs
  const measured = Promise.withResolvers<void>()
  const opened = async (path: string, flags: string) => {
    if (path.endsWith('redis.log')) await measured.promise.then(act)
    const handle = await openFile(path, flags)
    const { stat } = handle
    handle.stat = (async () => stat.call(handle).finally(measured.resolve)) as typeof stat
    return handle
  }
  t.mock.method(fs, 'open', opened as never)
  syncBuiltinESMExports()
  const restore = () => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
  t.after(restore)
  return restore
}

test('a later run goes on: ids and line numbers grow, also when the clock was set back', async (t) => {
  const { folder, logs } = await filled(t, 10)
  const before = (await logs.page({ limit: 100 })).items
  await logs.close()
  appendFileSync(join(folder, 'io-1.log'), '{"id":99,"line')
  const again = await open(folder, { nowUs: () => (Date.now() - 3_600_000) * 1_000 })
  assert.deepEqual(again.names(), ['io-1', 'redis'])
  again.write(said('io-1', '10'))
  again.write(said('io-1', '11'))
  const { items } = await again.page({ limit: 100 })
  assert.deepEqual(messages(items), range(0, 12))
  assert.deepEqual(items.slice(0, 10), before)
  assert.deepEqual(
    items.filter(({ process }) => process === 'io-1').map(({ line }) => line),
    range(1, 8),
  )
  const signal = AbortSignal.timeout(5_000)
  assert.equal((await again.next({ since: 0, signal })).length, 12, 'a follower gets what was there before')
  await again.close()
})

test('lines longer than a page come one by one', async (t) => {
  const { logs } = await filled(t, 0)
  const long = 'x'.repeat(700_000)
  for (const mark of ['1', '2', '3']) {
    logs.write(said('io-1', mark + long))
    await logs.page({ limit: 1 })
  }
  for (let since = 0, n = 1; n <= 3; n++) {
    const { items, next } = await logs.page({ since, limit: 10 })
    assert.deepEqual(
      items.map(({ message }) => message[0]),
      [String(n)],
    )
    since = next
  }
  assert.equal((await logs.page({ limit: 10 })).items[0]!.message[0], '3')
  await logs.close()
})
