/** What a stage does to its worker's process from within: nobody but itself is the worse for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startProject } from '../helpers/started-project.ts'
import { untilStatus } from '../helpers/wait.ts'

test('a script of a stage that signals its whole group does not end the worker', async (t) => {
  const { layout, instance, id } = await startProject(t, { pipeline: 'crash', input: { crashes: 99, how: 'trap' } })
  const { stages } = await untilStatus({ layout, id }, 'completed')
  assert.equal(stages[0]?.attempts, 1)
  assert.deepEqual(instance.facts('child_exited'), [])
})
