/** Files over HTTP: whole, in parts, revalidated, from disk, and closed on every way out. */
import assert from 'node:assert/strict'
import { readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sha256 } from '../../src/lib/ids.ts'
import { until } from '../../src/lib/until.ts'
import { type Fake, fakeApp, fakeDeps, projectState } from './deps.ts'

const CONTENT = Buffer.from('0123456789')
const URL_PATH = '/api/v1/projects/p1/artifacts/clip.mp4'
const ETAG = `"${sha256(CONTENT)}"`

function withFile(deps: Fake, content: Buffer = CONTENT, name = 'clip.mp4'): string {
  const path = join(deps.folder, 'stored-file')
  writeFileSync(path, content)
  const artifact = {
    name,
    stage: 'shout',
    mime: 'video/mp4',
    bytes: content.length,
    sha256: sha256(content),
    file: 'stored-file',
  }
  deps.states.set('p1', projectState())
  deps.files.set(`p1/${name}`, { path, artifact })
  return path
}

type Expected = { status: number; body: string; headers?: Record<string, string> }

const CASES: [string, Record<string, string>, Expected][] = [
  [
    'nothing special',
    {},
    { status: 200, body: '0123456789', headers: { 'content-length': '10', 'accept-ranges': 'bytes', etag: ETAG } },
  ],
  [
    'a part',
    { range: 'bytes=2-4' },
    { status: 206, body: '234', headers: { 'content-range': 'bytes 2-4/10', 'content-length': '3' } },
  ],
  ['the end', { range: 'bytes=-2' }, { status: 206, body: '89', headers: { 'content-range': 'bytes 8-9/10' } }],
  ['a part that is still the same', { range: 'bytes=0-0', 'if-range': ETAG }, { status: 206, body: '0' }],
  ['a part that has changed', { range: 'bytes=0-0', 'if-range': '"old"' }, { status: 200, body: '0123456789' }],
  ['several parts', { range: 'bytes=0-1,4-5' }, { status: 200, body: '0123456789' }],
  ['what it has', { 'if-none-match': `"x", W/${ETAG}` }, { status: 304, body: '', headers: { etag: ETAG } }],
  ['what it had', { 'if-none-match': '"old"' }, { status: 200, body: '0123456789' }],
]

for (const [name, headers, expected] of CASES)
  test(`asking for ${name} gives ${expected.status}`, async () => {
    using deps = fakeDeps()
    withFile(deps)
    const answer = await fakeApp(deps).request(URL_PATH, { headers })
    assert.equal(answer.status, expected.status)
    assert.equal(await answer.text(), expected.body)
    for (const [header, value] of Object.entries(expected.headers ?? {}))
      assert.equal(answer.headers.get(header), value)
    assert.equal(answer.headers.get('cache-control'), 'private, no-cache')
  })

test('a part outside the file is a 416 problem that says the size', async () => {
  using deps = fakeDeps()
  withFile(deps)
  const answer = await fakeApp(deps).request(URL_PATH, { headers: { range: 'bytes=10-' } })
  assert.equal(answer.status, 416)
  assert.equal(answer.headers.get('content-range'), 'bytes */10')
  assert.equal(((await answer.json()) as { code: string }).code, 'range_not_satisfiable')
  await noneOpen(deps.folder)
})

test('HEAD says the same without a body, ignores ranges, and leaves nothing open', async () => {
  using deps = fakeDeps()
  withFile(deps, Buffer.alloc(1_000_000)) // more than is read ahead
  const answer = await fakeApp(deps).request(URL_PATH, { method: 'HEAD', headers: { range: 'bytes=2-4' } })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-length'), '1000000')
  assert.equal(answer.headers.get('content-type'), 'video/mp4')
  assert.equal(await answer.text(), '')
  await noneOpen(deps.folder)
})

test('an empty file is an empty answer', async () => {
  using deps = fakeDeps()
  withFile(deps, Buffer.alloc(0))
  const answer = await fakeApp(deps).request(URL_PATH)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-length'), '0')
  assert.equal(await answer.text(), '')
})

test('a name with spaces and slashes is found when it is encoded', async () => {
  using deps = fakeDeps()
  withFile(deps, CONTENT, 'shots/ä 1.mp4')
  const answer = await fakeApp(deps).request(`/api/v1/projects/p1/artifacts/${encodeURIComponent('shots/ä 1.mp4')}`)
  assert.equal(await answer.text(), '0123456789')
  assert.match(answer.headers.get('content-disposition') ?? '', /filename\*=UTF-8''%C3%A4%201\.mp4$/)
})

test('a file that is gone is a 410, an unknown one a 404', async () => {
  using deps = fakeDeps()
  withFile(deps)
  deps.files.get('p1/clip.mp4')!.path = join(deps.folder, 'gone')
  const app = fakeApp(deps)
  const gone = await app.request(URL_PATH)
  assert.equal(gone.status, 410)
  assert.doesNotMatch(await gone.text(), new RegExp(deps.folder))
  assert.equal((await app.request('/api/v1/projects/p1/artifacts/none')).status, 404)
})

test('a large file is read as it is taken, and closed when the reader leaves', async () => {
  using deps = fakeDeps()
  withFile(deps, Buffer.alloc(64 * 1024 * 1024, 7))
  const before = process.memoryUsage().arrayBuffers
  const answer = await fakeApp(deps).request(URL_PATH)
  const reader = answer.body!.getReader()
  const first = await reader.read()
  assert.ok(first.value!.length <= 1024 * 1024)
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024)
  if (process.platform === 'linux') assert.equal(openFiles(deps.folder).length, 1)
  await reader.cancel()
  await noneOpen(deps.folder)
})

test('every byte of a large file arrives', async () => {
  using deps = fakeDeps()
  const content = Buffer.from(Array.from({ length: 700_001 }, (_, i) => i % 251))
  withFile(deps, content)
  const answer = await fakeApp(deps).request(URL_PATH, { headers: { range: 'bytes=5-' } })
  assert.equal(sha256(new Uint8Array(await answer.arrayBuffer())), sha256(content.subarray(5)))
  await noneOpen(deps.folder)
})

test('a file that shrinks while it is read breaks the answer instead of ending it', async () => {
  using deps = fakeDeps()
  const path = withFile(deps, Buffer.alloc(8 * 1024 * 1024, 1))
  const answer = await fakeApp(deps).request(URL_PATH)
  truncateSync(path, 10)
  await assert.rejects(answer.arrayBuffer())
  await noneOpen(deps.folder)
})

/** Waits until no descriptor of this process points into `folder` (Linux only; elsewhere nothing is checked). */
async function noneOpen(folder: string): Promise<void> {
  if (process.platform !== 'linux') return
  await until(() => openFiles(folder).length === 0, { timeoutMs: 10_000, what: 'all files to be closed' })
}

function openFiles(folder: string): string[] {
  return readdirSync('/proc/self/fd')
    .map(targetOf)
    .filter((target) => target.startsWith(folder))
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return '' // closed in between
  }
}
