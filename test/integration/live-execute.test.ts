/** A stage alone, asked for with `use_streaming`: the answer is its messages, up to the one that ends it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { talkOf } from '../fixtures/pipelines/talk.ts'
import { createInstallation, type Instance } from '../helpers/installation.ts'
import { createLiveRecord, type LiveRecord } from '../helpers/live-record.ts'
import { answerTo } from '../helpers/openai-answers.ts'
import { startOpenAiServer } from '../helpers/openai-server.ts'
import { startProject } from '../helpers/started-project.ts'
import { readEvents } from '../helpers/viewers.ts'
import { untilStatus } from '../helpers/wait.ts'

test('a stage that talks: its whole text, piece by piece, and then the answer ends', async (t) => {
  const first = { seed: 'first', pieces: 9 }
  const { layout, gates, instance, id } = await startProject(t, { pipeline: 'talk', input: first })
  await untilStatus({ layout, id }, 'completed')
  const input = { folder: gates.folder, seed: 'alone', pieces: 300, paceMs: 5 }
  const record = await executeStreaming(instance, id, { stage_name: 'talk', input_data: input })
  const stage = (await untilStatus({ layout, id }, 'completed')).stages[0]!
  const { text } = talkOf(input, stage.attempts)
  assert.deepEqual(record.problems, [])
  assert.equal(record.last?.type, 'done')
  assert.equal(record.done.get('talk')?.full_text, text)
  assert.equal(record.texts.get('talk'), text)
  assert.ok(record.counts.messages > 5, 'it came in pieces')
})

test('a stage that fails for good: the answer ends with its error', async (t) => {
  const { layout, gates, instance, id } = await startProject(t, {
    pipeline: 'flaky',
    input: { failures: 0, status: 0 },
  })
  await untilStatus({ layout, id }, 'completed')
  const input = { folder: gates.folder, failures: 9, status: 400 }
  const record = await executeStreaming(instance, id, { stage_name: 'ask', input_data: input })
  assert.deepEqual(record.problems, [])
  assert.ok(record.last?.type === 'error', `the last message was ${JSON.stringify(record.last)}`)
  assert.deepEqual([record.last.error, record.last.will_retry], ['the provider is away', false])
})

test('a story rewritten by a model whose first answer is torn: it goes on through the retry, to the good text', async (t) => {
  await using server = await startOpenAiServer()
  server.behaviour.faults.push({ kind: 'close_early', after: 20 })
  const installation = await createInstallation(t)
  const env = { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: server.url, TEXT_MODEL: 'test-model' }
  const instance = await installation.start({ env })
  const original_text = 'A fox saw grapes. It jumped. They were too high.'
  const plan = { pipeline: 'story', input: { original_text }, autostart: false }
  const { id } = await instance.api.projects.create(plan)
  const record = await executeStreaming(instance, id, { stage_name: 'rewrite', input_data: { original_text } })
  const whole = answerTo(server.calls.at(-1)!.body)
  assert.deepEqual(record.problems, [])
  assert.equal(record.done.get('rewrite')?.full_text, whole)
  assert.equal(record.done.get('rewrite')?.metadata.model, 'test-model')
  const told = record.said.filter((what) => what === 'error' || what.endsWith('restarted') || what === 'done')
  assert.deepEqual(told, ['error', 'stage_update restarted', 'done'])
  assert.equal(server.calls.length, 2)
  const { stages } = await untilStatus({ layout: installation.layout, id }, 'pending')
  assert.deepEqual(
    stages.slice(0, 2).map(({ status, retries }) => [status, retries]),
    [
      ['completed', 1],
      ['pending', 0],
    ],
  )
})

async function executeStreaming(
  { url }: Instance,
  id: string,
  body: { stage_name: string; input_data: object },
): Promise<LiveRecord> {
  const response = await fetch(`${url}/api/v1/projects/${id}/execute-stage/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, use_streaming: true }),
    signal: AbortSignal.timeout(40_000),
  })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type')!, /^text\/event-stream/)
  const record = createLiveRecord({ v: 1 })
  for await (const { message } of readEvents(response)) record.take(message)
  return record
}
