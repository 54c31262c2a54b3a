/** Fifty viewers on lines that break all the time: each ends with exactly what the stages said. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { talkOf } from '../fixtures/pipelines/talk.ts'
import { startCuttingProxy } from '../helpers/cutting-proxy.ts'
import { createInstallation } from '../helpers/installation.ts'
import { assertTold, KINDS, startViewer } from '../helpers/viewers.ts'
import { untilStatus } from '../helpers/wait.ts'

const VIEWERS = 50

test('50 viewers, each cut every 1 to 3 s while three stages talk: everyone ends with the exact text', async (t) => {
  const installation = await createInstallation(t)
  const proxy = await startCuttingProxy(t, { seed: 'cuts', minMs: 1_000, maxMs: 3_000 })
  const { url, api } = await installation.start({ env: { ALLOWED_HOSTS: `127.0.0.1:${proxy.port}` } })
  proxy.aim(url)
  const speeches = ['red', 'green', 'blue'].map((seed) => ({ seed, pieces: 1_200, paceMs: 8, folder: '' }))
  const projects = await Promise.all(speeches.map((input) => api.projects.create({ pipeline: 'talk', input })))
  const groups = projects.map(({ id }, p) =>
    Array.from({ length: VIEWERS }, (_, i) => i)
      .filter((i) => i % projects.length === p)
      .map((i) => startViewer(t, { url: proxy.url, id, ...KINDS[Math.floor(i / projects.length) % KINDS.length]! })),
  )
  for (const [p, { id }] of projects.entries()) {
    await untilStatus({ layout: installation.layout, id, timeoutMs: 60_000 }, 'completed')
    await assertTold(groups[p]!, 'talk', talkOf(speeches[p]!, 1).text)
  }
  const viewers = groups.flat()
  // A page says `connected` only when it begins anew.
  const lasting = viewers.filter(({ name }) => !name.includes('poll'))
  const connections = lasting.map(({ counts }) => counts.connections)
  const unrecovered = viewers.reduce((sum, { counts }) => sum + counts.unrecovered, 0)
  const each = `${Math.min(...connections)} to ${Math.max(...connections)} connections each`
  t.diagnostic(`${proxy.cuts} cuts, ${each}, ${unrecovered} of all began anew`)
  assert.equal(viewers.length, VIEWERS)
  assert.ok(proxy.cuts >= 2 * VIEWERS, `only ${proxy.cuts} cuts`)
  assert.ok(Math.min(...connections) >= 2, 'everyone was cut off in the middle of it')
  assert.ok(unrecovered <= 2 * VIEWERS, 'most connections go on where the last one was')
})
