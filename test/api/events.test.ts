/** Event streams, long polling and streamed tasks: framing, cursors, back-pressure and ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventPage } from '../../src/api/schemas/live.ts'
import { until } from '../../src/lib/until.ts'
import { jsonRequest, projectState, taskView } from './deps.ts'
import { serve } from './serve.ts'

const token = (content: string, offset: number) => ({ type: 'token', stage: 'shout', content, offset }) as const
const ended = { type: 'project_update', status: 'completed', progress: 100 } as const
const done = {
  type: 'done',
  stage: 'shout',
  full_text: 'HI',
  metadata: { latency_ms: 1, tokens_used: 1, model: 'm' },
} as const

async function serveP1(changes: Parameters<typeof serve>[0] = {}) {
  const running = await serve(changes)
  running.deps.states.set('p1', projectState({ status: 'running' }))
  return Object.assign(running, { url: `${running.server.url}/api/v1/projects/p1` })
}

/** Reads a stream until `enough` is in it, or to its end. */
async function readText(answer: Response, enough?: RegExp): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of answer.body!) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (enough?.test(text)) break
  }
  return text
}

const pages = { headers: { accept: 'application/json' } }

test('an event stream brings each message with its cursor, and ends with the project', async () => {
  await using running = await serveP1()
  const answer = await fetch(`${running.url}/events?stage=shout&v=2`)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/)
  assert.equal(answer.headers.get('x-accel-buffering'), 'no')
  assert.match(answer.headers.get('cache-control') ?? '', /no-transform/)
  await until(() => running.deps.hub.viewers.size === 1, { timeoutMs: 3_000, what: 'the viewer' })
  running.deps.hub.say('p1', token('a\nb', 0), ended)
  const text = await readText(answer)
  assert.match(text, /^retry: \d+\n\n/)
  assert.match(text, /id: e1-1\ndata: \{.*"content":"a\\nb".*\}\n\n/)
  assert.match(text, /id: e1-2\ndata: \{.*"project_update".*\}\n\n$/)
  assert.equal(running.deps.hub.viewers.size, 0)
})

test('Last-Event-ID wins over since; at the end there is nothing more', async () => {
  await using running = await serveP1()
  running.deps.hub.say('p1', token('a', 0), token('b', 1), ended)
  const again = await fetch(`${running.url}/events?since=e1-0`, { headers: { 'last-event-id': 'e1-1' } })
  assert.equal((await readText(again)).match(/"type":"token"/g)?.length, 1)
  assert.equal((await fetch(`${running.url}/events`, { headers: { 'last-event-id': 'e1-3' } })).status, 204)
  assert.equal((await fetch(`${running.url}/events?since=e1-3`)).status, 204)
  assert.equal((await fetch(`${running.url}/events`, { headers: { 'last-event-id': 'foreign value' } })).status, 200)
})

test('a reader that is slow makes the hub wait and loses nothing', async () => {
  await using running = await serveP1()
  const answer = await fetch(`${running.url}/events`)
  const big = 'x'.repeat(64 * 1024)
  for (let i = 0; i < 400; i++) running.deps.hub.say('p1', token(big, i * big.length))
  await until(() => running.deps.hub.waits > 0, { timeoutMs: 5_000, what: 'back-pressure' })
  running.deps.hub.say('p1', ended)
  const text = await readText(answer, /project_update/)
  assert.ok(text.length > 0)
})

test('a reader that leaves is forgotten', async () => {
  await using running = await serveP1()
  const stop = new AbortController()
  await fetch(`${running.url}/events`, { signal: stop.signal })
  await until(() => running.deps.hub.viewers.size === 1, { timeoutMs: 3_000, what: 'the viewer' })
  stop.abort()
  await until(() => running.deps.hub.viewers.size === 0, { timeoutMs: 3_000, what: 'the viewer to be forgotten' })
})

test('HEAD joins nothing', async () => {
  await using running = await serveP1()
  const answer = await fetch(`${running.url}/events`, { method: 'HEAD' })
  assert.deepEqual([answer.status, running.deps.hub.joins.length], [200, 0])
})

test('closing the server ends streams and polls at once', async () => {
  await using running = await serveP1()
  const stream = await fetch(`${running.url}/events`)
  const page = fetch(`${running.url}/events?since=e1-0&wait=30`, pages)
  const { hub } = running.deps
  await until(() => hub.viewers.size === 1 && hub.polling === 1, { timeoutMs: 3_000, what: 'the viewers' })
  const startedMs = performance.now()
  await running.server.close(10_000)
  assert.ok(performance.now() - startedMs < 3_000)
  await readText(stream)
  assert.deepEqual(((await (await page).json()) as EventPage).events, [])
})

test('a poll waits for news, and says when all has been said', async () => {
  await using running = await serveP1()
  const first = (await (await fetch(`${running.url}/events`, pages)).json()) as EventPage
  assert.equal(first.events[0]?.type, 'connected')
  const waiting = fetch(`${running.url}/events?since=${first.next}&wait=20`, pages)
  running.deps.hub.say('p1', token('a', 0))
  const second = (await (await waiting).json()) as EventPage
  assert.deepEqual([second.events.length, second.closed], [1, false])
  running.deps.hub.say('p1', ended)
  const last = (await (await fetch(`${running.url}/events?since=${second.next}&wait=20`, pages)).json()) as EventPage
  assert.deepEqual([last.events.length, last.closed], [1, true])
})

for (const query of ['wait=31', 'wait=-1', 'since=x', 'v=0'])
  test(`events?${query} is refused with 422`, async () => {
    await using running = await serveP1()
    assert.equal((await fetch(`${running.url}/events?${query}`, pages)).status, 422)
  })

test('an unknown stage and an unknown project are 404', async () => {
  await using running = await serveP1()
  assert.equal((await fetch(`${running.url}/events?stage=none`)).status, 404)
  assert.equal((await fetch(`${running.url.replace('p1', 'p2')}/events`)).status, 404)
})

const execute = (more: object = {}) => jsonRequest({ stage_name: 'shout', input_data: { text: 'hi' }, ...more })

test('execute-stage answers with the task, which task-status then knows', async () => {
  await using running = await serveP1()
  running.deps.states.set('p1', projectState())
  const answer = await fetch(`${running.url}/execute-stage/`, execute())
  const task = (await answer.json()) as Record<string, string>
  assert.equal(answer.status, 202)
  assert.deepEqual([task.task_id, task.stage, task.project_id], ['p1-2', 'shout', 'p1'])
  assert.equal(task.channel, 'ai_story:project:p1:stage:shout')
  const status = await fetch(`${running.url}/task-status/?task_id=${task.task_id}`)
  assert.deepEqual(await status.json(), {
    task_id: 'p1-2',
    project_id: 'p1',
    state: 'PENDING',
    result: null,
    info: taskView().info,
  })
  assert.equal((await fetch(`${running.url}/task-status/?task_id=none`)).status, 404)
  assert.equal((await fetch(`${running.url}/execute-stage/`, execute())).status, 409)
})

test('a streamed task ends with its own done, not with that of an earlier run', async () => {
  await using running = await serveP1()
  running.deps.states.set('p1', projectState())
  running.deps.hub.say('p1', { ...done, full_text: 'OLD' })
  const answer = await fetch(`${running.url}/execute-stage`, execute({ use_streaming: true }))
  assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/)
  await until(() => running.deps.hub.viewers.size === 1, { timeoutMs: 3_000, what: 'the viewer' })
  const failure = { type: 'error', stage: 'shout', error: 'busy', retry_count: 1, will_retry: true } as const
  running.deps.hub.say('p1', failure, token('HI', 0), done, token('after', 2))
  const text = await readText(answer)
  assert.ok(!text.includes('OLD') && !text.includes('after'))
  assert.match(text, /"will_retry":true[\s\S]*"content":"HI"[\s\S]*"type":"done","stage":"shout","full_text":"HI"/)
})

test('a streamed task waits for the last word of an earlier run, which is told a moment after it is written down', async () => {
  await using running = await serveP1()
  running.deps.states.set('p1', projectState())
  const answering = fetch(`${running.url}/execute-stage`, execute({ use_streaming: true }))
  await until(() => running.deps.hub.polling === 1, { timeoutMs: 1_000, everyMs: 5, what: 'the wait' })
  const completed = { type: 'stage_update', stage: 'shout', status: 'completed' } as const
  running.deps.hub.say('p1', { ...done, full_text: 'OLD' }, completed)
  await until(() => running.deps.hub.viewers.size === 1, { timeoutMs: 3_000, what: 'the viewer' })
  running.deps.hub.say('p1', token('HI', 0), done)
  const text = await readText(await answering)
  assert.ok(!text.includes('OLD'))
  assert.match(text, /"content":"HI"[\s\S]*"type":"done","stage":"shout","full_text":"HI"/)
})

for (const [status, end] of [
  ['completed', /"type":"done","full_text":"HI"/],
  ['cancelled', /"type":"error","error":"The stage is cancelled"/],
] as const)
  test(`a streamed task whose worker is dead ends from the disk: ${status}`, async () => {
    await using running = await serveP1()
    running.deps.states.set('p1', projectState())
    const answer = await fetch(`${running.url}/execute-stage`, execute({ use_streaming: true }))
    await until(() => running.deps.hub.viewers.size === 1, { timeoutMs: 3_000, what: 'the viewer' })
    running.deps.hub.say('p1', { type: 'stage_update', stage: 'shout', status })
    assert.match(await readText(answer), end)
  })

test('a streamed task that is withdrawn without a word ends from the disk', async () => {
  await using running = await serveP1()
  running.deps.states.set('p1', projectState())
  const answer = await fetch(`${running.url}/execute-stage`, execute({ use_streaming: true }))
  await until(() => running.deps.hub.viewers.size === 1, { timeoutMs: 3_000, what: 'the viewer' })
  const [[key, task] = assert.fail('there is no task')] = running.deps.tasks
  const result = { success: false, task_id: task.task_id, channel: '', result: null }
  running.deps.tasks.set(key, { ...task, state: 'REVOKED', result })
  const text = await readText(answer)
  assert.match(text, /"type":"error","error":"The task is REVOKED".*"will_retry":false/)
  assert.equal(running.deps.hub.viewers.size, 0)
})

test('the document describes every live message', async () => {
  await using running = await serveP1()
  const document = (await (await fetch(`${running.server.url}/openapi.json`)).json()) as {
    components: { schemas: object }
  }
  const names = [
    'Connected',
    'Token',
    'StageUpdate',
    'Progress',
    'Done',
    'Error',
    'ProjectUpdate',
    'Ping',
    'Pong',
    'Live',
  ]
  assert.deepEqual(
    names.filter((name) => !(`${name}Message` in document.components.schemas)),
    [],
  )
})
