/** SIGKILL, one process at a time and all at once: the victim comes back, nobody else is touched, nothing is done twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertUntouched, childrenOf, killQuietly, pidOf, untilReplaced } from '../helpers/children.ts'
import { untilGone } from '../helpers/processes.ts'
import { readState } from '../helpers/soundness.ts'
import { assertVisits, startProject } from '../helpers/started-project.ts'
import { untilHealthy, untilStatus } from '../helpers/wait.ts'

/** The gate in whose stage it is killed, and the attempts at the three stages in the end. */
const VICTIMS = [
  { name: 'io-1', gate: 'write-2', attempts: [2, 1, 1] },
  { name: 'media-1', gate: 'film-2', attempts: [1, 2, 1] },
  { name: 'scheduler', gate: 'film-2', attempts: [1, 1, 1] },
  { name: 'redis', gate: 'write-2', attempts: [1, 1, 1] },
] as const

for (const { name, gate, attempts } of VICTIMS)
  test(`SIGKILL of ${name} in the middle of a stage: it comes back, all others keep their processes`, async (t) => {
    const { layout, gates, instance, id } = await startProject(t, { held: [gate] })
    const before = await childrenOf(instance)
    const pid = await pidOf(instance, name)
    process.kill(pid, 'SIGKILL')
    await untilReplaced(instance, { name, pid })
    gates.release(gate)
    const { stages } = await untilStatus({ layout, id }, 'completed')
    assert.deepEqual(
      stages.map((s) => s.attempts),
      attempts,
    )
    assert.deepEqual(
      stages.map((s) => s.retries),
      [0, 0, 0],
    )
    const visits = name === 'io-1' || name === 'media-1' ? { [gate]: 2 } : {}
    assertVisits(gates, visits)
    await untilHealthy(instance)
    await assertUntouched(instance, before, [name])
    assert.deepEqual(
      instance.facts('child_exited').map((fact) => [fact.name, fact.signal]),
      [[name, 'SIGKILL']],
    )
  })

test('SIGKILL of everything at once, the supervisor included: the next start goes on where it was', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { held: ['film-2'] })
  const children = (await installation.processes()).map(({ pid }) => pid)
  const victims = [instance.supervisorPid, ...children]
  assert.equal(victims.length, 5)
  for (const pid of victims) killQuietly(pid)
  await untilGone(victims)
  assert.deepEqual(await installation.processes(), [], 'nobody was left to start anybody again')
  const before = readState(layout, id)
  gates.release('film-2')
  const again = await installation.start()
  assert.deepEqual(
    again.facts('ready')[0]?.interrupted.map(({ stage }) => stage),
    ['film'],
  )
  const end = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual(end.stages[0], before.stages[0], 'what was finished has not changed')
  assert.deepEqual(
    end.stages.map((s) => s.attempts),
    [1, 2, 1],
  )
  assertVisits(gates, { 'film-2': 2 })
  await untilHealthy(again)
})

test('a worker that is killed again each time it comes back: its stage goes on in the end, and no retry is spent', async (t) => {
  const { layout, gates, instance, id } = await startProject(t, { held: ['film-2'] })
  for (let kill = 1; kill <= 3; kill++) {
    const pid = await pidOf(instance, 'media-1')
    process.kill(pid, 'SIGKILL')
    await gates.reached('film-2', kill + 1)
  }
  gates.release('film-2')
  const { stages } = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual(
    stages.map(({ attempts, retries }) => [attempts, retries]),
    [
      [1, 0],
      [4, 0],
      [1, 0],
    ],
  )
  assertVisits(gates, { 'film-2': 4 })
  await untilHealthy(instance)
})
