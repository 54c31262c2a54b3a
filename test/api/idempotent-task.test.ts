/** Idempotency-Key on execute-stage: one task for a key. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeApp, fakeDeps, jsonRequest, projectState } from './deps.ts'

const body = { stage_name: 'shout', input_data: { text: 'hi' } }

function prepared(deps: ReturnType<typeof fakeDeps>) {
  const state = projectState({ status: 'completed' })
  deps.states.set(state.id, state)
  const path = `/api/v1/projects/${state.id}/execute-stage/`
  const send = (more: object = {}, key = 'k1') => {
    return fakeApp(deps).request(path, jsonRequest({ ...body, ...more }, { 'idempotency-key': key }))
  }
  return { send }
}

test('the same key gives the same task, and starts it once', async () => {
  using deps = fakeDeps()
  const { send } = prepared(deps)
  const [first, again] = [await send(), await send()]
  assert.deepEqual([first.status, again.status], [202, 202])
  assert.equal(await again.text(), await first.text())
  assert.equal(again.headers.get('idempotency-replayed'), 'true')
  assert.equal((await send({ input_data: { text: 'other' } })).status, 422)
})

test('a stream cannot be repeated', async () => {
  using deps = fakeDeps()
  const answer = await prepared(deps).send({ use_streaming: true })
  assert.equal(answer.status, 422)
})
