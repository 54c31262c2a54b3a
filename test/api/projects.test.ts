/** Projects over HTTP: what is made, shown, changed and deleted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CommandBody, ProjectList } from '../../src/api/schemas/project.ts'
import { isId } from '../../src/lib/ids.ts'
import { fakeApp, fakeDeps, jsonRequest, projectState } from './deps.ts'

const PATH = '/api/v1/projects'
const good = { pipeline: 'hello', input: { text: 'hi' }, title: '  A title ' }

test('creating answers 201 with the place and the state, started unless asked otherwise', async () => {
  using deps = fakeDeps()
  const app = fakeApp(deps)
  const answer = await app.request(PATH, jsonRequest(good))
  const state = (await answer.json()) as CommandBody
  assert.equal(answer.status, 201)
  assert.ok(isId(state.id))
  assert.equal(answer.headers.get('location'), `${PATH}/${state.id}`)
  assert.equal(state.title, 'A title')
  assert.equal(state.status, 'queued')
  assert.equal(state.dispatch, 'queued')
  const idle = await app.request(`${PATH}/`, jsonRequest({ ...good, autostart: false }))
  assert.equal(((await idle.json()) as CommandBody).status, 'pending')
})

test('a state is shown without what only our files need', async () => {
  using deps = fakeDeps()
  const file = { name: 'a.txt', stage: 'shout', mime: 'text/plain', bytes: 1, sha256: 'x' }
  deps.states.set('p1', projectState({ artifacts: [{ ...file, file: 'x-a.txt' }] }))
  const shown = (await (await fakeApp(deps).request(`${PATH}/p1`)).json()) as CommandBody
  assert.deepEqual(shown.stages[0]?.steps, [{ name: 'count', status: 'completed' }])
  assert.deepEqual(shown.artifacts, [file])
  assert.deepEqual(shown.stages[0]?.result, { text: 'HI' })
  assert.equal('input_file' in shown || 'result_artifact' in shown.stages[0]!, false)
})

test('a list passes on what was asked and gives summaries', async () => {
  using deps = fakeDeps()
  for (const id of ['a', 'b', 'c'])
    deps.states.set(id, projectState({ id, status: id === 'b' ? 'failed' : 'completed' }))
  const app = fakeApp(deps)
  const list = async (query: string) => (await (await app.request(`${PATH}${query}`)).json()) as ProjectList
  assert.deepEqual(
    (await list('')).items.map((item) => item.id),
    ['c', 'b', 'a'],
  )
  assert.deepEqual(
    (await list('?status=failed')).items.map((item) => item.id),
    ['b'],
  )
  const page = await list('?limit=2&q=Hello')
  assert.equal(page.items.length, 2)
  assert.equal(page.next_cursor, 'more')
  assert.equal('input' in page.items[0]!, false)
})

test('the query reaches the reader as it was meant', async () => {
  const asked: unknown[] = []
  using deps = fakeDeps()
  const list = async (query: unknown) => {
    asked.push(query)
    return { items: [], next_cursor: null }
  }
  const app = fakeApp({ ...deps, projects: { ...deps.projects, list } })
  await app.request(`${PATH}?status=failed&pipeline=hello&q=a%20b&limit=7&cursor=abc`)
  await app.request(PATH)
  assert.deepEqual(asked, [
    { status: 'failed', pipeline: 'hello', q: 'a b', limit: 7, cursor: 'abc', owner: undefined },
    { limit: 50, owner: undefined },
  ])
})

for (const [verb, status] of [
  ['start', 'queued'],
  ['resume', 'queued'],
  ['cancel', 'cancelled'],
] as const)
  test(`${verb} answers 202 with the state, with and without a slash or body`, async () => {
    using deps = fakeDeps()
    const app = fakeApp(deps)
    for (const [path, init] of [
      [`${PATH}/p1/${verb}`, { method: 'POST' }],
      [`${PATH}/p1/${verb}/`, jsonRequest({})],
    ] as const) {
      deps.states.set('p1', projectState({ status: 'pending' }))
      const answer = await app.request(path, init)
      assert.equal(answer.status, 202)
      assert.equal(((await answer.json()) as CommandBody).status, status)
    }
  })

test('rerun passes on whether later stages follow', async () => {
  const asked: unknown[] = []
  using deps = fakeDeps()
  deps.states.set('p1', projectState())
  const rerun: typeof deps.commands.rerun = async (id, stage, options) => {
    asked.push([id, stage, options])
    return { state: projectState(), dispatch: 'delayed' }
  }
  const app = fakeApp({ ...deps, commands: { ...deps.commands, rerun } })
  const answer = await app.request(`${PATH}/p1/stages/shout/rerun`, jsonRequest({ and_following: true }))
  assert.equal(answer.status, 202)
  assert.equal(((await answer.json()) as CommandBody).dispatch, 'delayed')
  await app.request(`${PATH}/p1/stages/shout/rerun`, { method: 'POST' })
  assert.deepEqual(asked, [
    ['p1', 'shout', { andFollowing: true }],
    ['p1', 'shout', { andFollowing: false }],
  ])
})

test('deleting answers 204 without a body, and then it is unknown', async () => {
  using deps = fakeDeps()
  deps.states.set('p1', projectState())
  const app = fakeApp(deps)
  const answer = await app.request(`${PATH}/p1`, { method: 'DELETE' })
  assert.equal(answer.status, 204)
  assert.equal(await answer.text(), '')
  assert.equal((await app.request(`${PATH}/p1`, { method: 'DELETE' })).status, 404)
})
