/** A cancelled project is deleted while its stage, which does not hear of it, still runs beside another one. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { createGates } from '../helpers/gates.ts'
import { startProject } from '../helpers/started-project.ts'
import { stageOf, untilStatus, workerOf } from '../helpers/wait.ts'

/** A running stage looks every second whether it still owns its project. */
const LOOKS_MS = 2_500

test('a project deleted right after its cancel is gone at once; its worker and the stage beside it notice nothing', async (t) => {
  const { instance, layout, gates, id } = await startProject(t, { held: ['write-2'], input: { deaf: true } })
  const neighbour = createGates(t)
  neighbour.hold('write-2')
  const { id: other } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: neighbour.folder } })
  await neighbour.reached('write-2')
  const { pid } = await workerOf(instance, 'io-1')
  await instance.api.projects.cancel(id)
  await instance.api.projects.remove(id)
  await assert.rejects(instance.api.projects.get(id), { code: 'not_found' })
  const hasEnded = () => instance.facts('child_exited').length > 0
  await assert.rejects(until(hasEnded, { timeoutMs: LOOKS_MS }), { code: 'timeout' }, 'the worker lives on')
  gates.release('write-2')
  const isFree = async () => (await workerOf(instance, 'io-1')).active.length === 1
  await until(isFree, { timeoutMs: 20_000, what: 'the deaf stage to end' })
  assert.deepEqual(await readdir(layout.projects), [other], 'nothing of it is left, and nothing has come back')
  neighbour.release('write-2')
  const end = await untilStatus({ layout, id: other }, 'completed')
  assert.deepEqual([stageOf(end, 'write').attempts, stageOf(end, 'write').retries], [1, 0])
  assert.equal((await workerOf(instance, 'io-1')).pid, pid)
})
