/** Who follows logs is told what had gone before it could be read, also when it was away meanwhile. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LOG_STREAM_CURSOR } from '../../src/api/schemas/logs.ts'
import { openLogFiles } from '../../src/launch/log-files.ts'
import { createLogReader } from '../../src/launch/log-reader.ts'
import { tempFolder } from '../helpers/temp.ts'

const said = (process: string, message: string) =>
  ({ process, pid: 1, stream: 'stdout', level: 'info', message }) as const

type Frame = { cursor: string; line?: number; process: string; lost?: number }

test('a loss between two connections is told, of each process its own, also after a restart', async (t) => {
  const folder = await tempFolder(t)
  const open = () => openLogFiles({ folder, onFault: (error) => assert.fail(error!), maxBytes: 20_000 })
  const first = await open()
  for (const name of ['io-1', 'redis', 'io-1']) first.write(said(name, 'before'))
  const before = await take(first, { since: '0' }, 3)
  assert.match(before.at(-1)!.cursor, LOG_STREAM_CURSOR)
  first.write(said('redis', 'kept'))
  for (let n = 0; n < 2_000; n++) {
    first.write(said('io-1', `gone ${n}`))
    if (n % 100 === 0) await first.page({ limit: 1 })
  }
  await first.close()
  const second = await open()
  const [kept, lost, next] = await take(second, { since: before.at(-1)!.cursor }, 3)
  assert.deepEqual([kept?.process, kept?.line], ['redis', 2])
  assert.equal(lost?.lost, next!.line! - 3, 'lines 3 to the one before the next')
  assert.deepEqual([lost.process, lost.cursor, next!.process], ['io-1', '', 'io-1'])
  const plain = await take(second, { since: String(Number.parseInt(before.at(-1)!.cursor, 10)) }, 2)
  assert.ok(
    plain.every((frame) => frame.lost === undefined),
    'a cursor of a page does not say what was read',
  )
  await second.close()
})

/** The first frames of a stream. */
async function take(logs: Awaited<ReturnType<typeof openLogFiles>>, query: { since: string }, frames: number) {
  const stop = new AbortController()
  const taken: Frame[] = []
  const reader = createLogReader(logs, async () => [])
  for await (const some of await reader.follow({ ...query, limit: 10, signal: stop.signal })) {
    taken.push(...some.map(({ cursor, json }) => ({ cursor, ...JSON.parse(json) })))
    if (taken.length >= frames) break
  }
  return taken.slice(0, frames)
}
