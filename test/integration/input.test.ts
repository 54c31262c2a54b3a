/** What users can send and write: wrong input, broken pipelines, repeated requests. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createGates } from '../helpers/gates.ts'
import { createInstallation } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import { killSupervisor } from '../helpers/started-project.ts'
import { untilStatus } from '../helpers/wait.ts'

const HELLO = `export default {
  name: 'hello',
  input: { parse(value) {
    if (typeof value?.text !== 'string' || value.text.trim() === '') throw new Error('text must not be empty')
    return value
  } },
  stages: [{ name: 'shout', queue: 'llm', async *run({ input, step }) {
    yield 'a token'
    const n = await step('count', () => input.text.length)
    yield { progress: 45, message: 'on the third part' }
    return { text: input.text.toUpperCase(), n }
  } }] }
`

test("a pipeline of one's own runs; broken files are reported by name and disable only themselves", async (t) => {
  const folder = await pipelineFolder(t, {
    'hello.mjs': HELLO,
    'torn.ts': 'export default {',
    'no-stage-name.ts': `export default { name: 'nameless', input: { parse: (v) => v }, stages: [{ queue: 'llm', run() {} }] }`,
    'no-queue.ts': `export default { name: 'lost', input: { parse: (v) => v }, stages: [{ name: 'a', queue: 'lllm', run() {} }] }`,
    'throws.ts': `throw new Error('not today')`,
    'taken.ts': HELLO.replace('hello', 'video'),
    'nothing.ts': '',
  })
  const installation = await createInstallation(t, { env: { PIPELINES_DIR: folder } })
  const instance = await installation.start()
  const { names, problems } = instance.facts('ready')[0]!.pipelines
  assert.deepEqual(names, ['video', 'story', 'hello'])
  const reasons = Object.fromEntries(problems.map((p) => [p.file, p.reason]))
  assert.deepEqual(Object.keys(reasons).sort(), (await readdir(folder)).filter((f) => f !== 'hello.mjs').sort())
  assert.match(reasons['no-stage-name.ts']!, /stage 1.*name/)
  assert.match(reasons['no-queue.ts']!, /no queue "lllm"/)
  assert.match(reasons['throws.ts']!, /not today/)
  assert.match(reasons['taken.ts']!, /"video" is already taken/)
  const { id } = await instance.api.projects.create({ pipeline: 'hello', input: { text: 'hi' } })
  const end = await untilStatus({ layout: installation.layout, id }, 'completed')
  assert.deepEqual(end.stages[0]?.result, { text: 'HI', n: 2 })
})

test('a pipeline that was taken away while a project of it was open: the stage fails and says why', async (t) => {
  const folder = await pipelineFolder(t, { 'hello.mjs': HELLO })
  const installation = await createInstallation(t, { env: { PIPELINES_DIR: folder } })
  const instance = await installation.start()
  const { id } = await instance.api.projects.create({ pipeline: 'hello', input: { text: 'hi' }, autostart: false })
  instance.signal('SIGTERM')
  await instance.ended(20_000)
  await rm(join(folder, 'hello.mjs'))
  const again = await installation.start()
  await again.api.projects.start(id)
  const failed = await untilStatus({ layout: installation.layout, id }, 'failed')
  assert.match(failed.error!.message, /pipeline hello has no stage shout/)
})

test('empty, wrong-typed, NUL, huge and malformed input is refused or kept whole, never half-made', async (t) => {
  const folder = await pipelineFolder(t, { 'hello.mjs': HELLO })
  const installation = await createInstallation(t, { env: { PIPELINES_DIR: folder } })
  const { api, url } = await installation.start()
  for (const input of [{}, { text: '' }, { text: 5 }, null, 'text', [], { text: ' \n' }])
    await assert.rejects(
      api.projects.create({ pipeline: 'hello', input }),
      { code: 'invalid_value' },
      JSON.stringify(input),
    )
  await assert.rejects(api.projects.create({ pipeline: 'none', input: {} }), { code: 'not_found' })
  const send = (body: string, type = 'application/json') =>
    fetch(`${url}/api/v1/projects`, { method: 'POST', body, headers: { 'Content-Type': type } }).then((r) => r.status)
  assert.equal(await send('{"pipeline":'), 400)
  assert.equal(await send('{}', 'text/plain'), 415)
  assert.equal(await send(JSON.stringify({ pipeline: 'hello', input: { text: 'x'.repeat(5 * 1024 * 1024) } })), 413)
  assert.deepEqual((await api.projects.list()).items, [], 'nothing was made')
  const texts = ['a\0b', '\u202eright to left', '💥'.repeat(1_000), 'y'.repeat(1024 * 1024), '../../etc/passwd']
  for (const text of texts) {
    const { id } = await api.projects.create({ pipeline: 'hello', input: { text } })
    await untilStatus({ layout: installation.layout, id }, 'completed')
    const { stages, input } = await api.projects.get(id)
    assert.deepEqual(input, { text })
    assert.deepEqual(stages[0]?.result, { text: text.toUpperCase(), n: text.length })
  }
})

test('an Idempotency-Key makes one project, across a SIGKILL of the supervisor', async (t) => {
  const installation = await createInstallation(t)
  const gates = createGates(t)
  const instance = await installation.start()
  const request = { pipeline: 'steps', input: { folder: gates.folder } }
  const first = await instance.api.projects.create(request, { idempotencyKey: 'key-1' })
  await killSupervisor(installation, instance)
  const again = await installation.start()
  const second = await again.api.projects.create(request, { idempotencyKey: 'key-1' })
  assert.equal(second.id, first.id)
  const other = { pipeline: 'steps', input: { folder: '/' } }
  await assert.rejects(again.api.projects.create(other, { idempotencyKey: 'key-1' }), { code: 'key_reused' })
  assert.equal((await again.api.projects.list()).items.length, 1)
  await untilStatus({ layout: installation.layout, id: first.id }, 'completed')
})

test('requests with one Idempotency-Key while the supervisor is killed: afterwards there is one project', async (t) => {
  const installation = await createInstallation(t)
  const gates = createGates(t)
  const instance = await installation.start()
  const request = { pipeline: 'steps', input: { folder: gates.folder } }
  const children = (await installation.processes()).map((p) => p.pid)
  const answer = instance.api.projects.create(request, { idempotencyKey: 'key-2' }).catch(() => null) // cut off
  process.kill(instance.supervisorPid, 'SIGKILL')
  await answer
  await untilGone([instance.supervisorPid, ...children])
  const again = await installation.start()
  const { id } = await again.api.projects.create(request, { idempotencyKey: 'key-2' })
  assert.deepEqual(
    (await again.api.projects.list()).items.map((p) => p.id),
    [id],
  )
  await untilStatus({ layout: installation.layout, id }, 'completed')
})

/** A folder of its own: files that do not parse must not lie where the type checker looks. */
async function pipelineFolder(t: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'showrunner-pipelines-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}
