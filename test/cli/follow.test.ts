/** `run --follow`: what stages write is shown as it is written; without it, it is not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { projectState } from '../api/deps.ts'
import { startFake } from './harness.ts'

const token = (content: string, offset: number) => ({ type: 'token', stage: 'shout', content, offset }) as const

for (const follow of [true, false])
  test(`run ${follow ? 'with' : 'without'} --follow ${follow ? 'shows' : 'hides'} texts`, async () => {
    await using fake = await startFake()
    const running = fake.cli(['run', 'hello', '--set', 'text=hi', ...(follow ? ['--follow'] : [])])
    const created = await until(() => [...fake.deps.states.values()][0], { timeoutMs: 30_000, what: 'the project' })
    await until(() => fake.deps.hub.viewers.size === 1, { timeoutMs: 30_000, what: 'the viewer' })
    fake.deps.hub.say(created.id, token('Once upon', 0), token(' a time', 9))
    fake.deps.states.set(created.id, projectState({ id: created.id, revision: 9 }))
    fake.deps.hub.say(created.id, { type: 'project_update', status: 'completed', progress: 100 })
    const { code, stdout, stderr } = await running
    assert.equal(code, 0, stderr)
    assert.equal(stderr.includes('Once upon a time\nshout: completed\n'), follow, stderr)
    assert.ok(!stdout.includes('Once'))
  })
