/** What a request makes of a project, and what it answers when that cannot be. */
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { artifactPath } from '../../src/project/artifacts.ts'
import type { Project } from '../../src/project/store.ts'
import { type CommandDeps, createCommands } from '../../src/queue/commands.ts'
import type { WakeUp } from '../../src/queue/job.ts'
import { begin, createProject, NO_CREDIT, openStore } from '../helpers/projects.ts'

test('a stage is not executed on the lost file of an earlier one: nothing is changed, and resume makes it again', async (t) => {
  const { commands, project, sent } = await openCase(t)
  await complete(project, 'write')
  await complete(project, 'draw')
  await rm(artifactPath(project.paths, project.read(), 'write.txt'))
  const { revision } = project.read().state
  for (let i = 0; i < 2; i++)
    await assert.rejects(commands.executeStage(project.id, executionOf('draw')), {
      code: 'artifact_missing',
      message: /^write\.txt of the stage write is gone/,
    })
  assert.deepEqual([project.read().state.revision, sent], [revision, []])
  assert.equal((await commands.resume(project.id)).state.stages[0]!.status, 'queued')
})

test('lost files of the stage itself and of later ones hinder nothing', async (t) => {
  const { commands, project, sent } = await openCase(t)
  await complete(project, 'write')
  await complete(project, 'draw')
  for (const name of ['write.txt', 'draw.txt']) await rm(artifactPath(project.paths, project.read(), name))
  const { taskId, state } = await commands.executeStage(project.id, executionOf('write'))
  assert.deepEqual(sent, [taskId])
  assert.deepEqual(
    state.stages.map((s) => s.status),
    ['queued', 'pending'],
  )
})

test('between two stages the project is under way: no request sets another stage on its way', async (t) => {
  const { commands, project, sent } = await openCase(t)
  await complete(project, 'write') // its worker dies before it has queued the next one
  const { id } = project
  assert.equal(project.read().state.status, 'running')
  for (const request of [
    () => commands.executeStage(id, executionOf('write')),
    () => commands.rerun(id, 'write', { andFollowing: false }),
    () => commands.remove(id),
  ])
    await assert.rejects(request(), { code: 'wrong_state' })
  assert.deepEqual(sent, [])
  assert.equal((await commands.cancel(id)).state.status, 'cancelled')
})

for (const request of ['start', 'resume'] as const)
  test(`${request} between two stages queues the one that comes next, and later changes nothing`, async (t) => {
    const { commands, project, sent } = await openCase(t)
    await complete(project, 'write')
    const { state } = await commands[request](project.id)
    assert.deepEqual([state.stages[1]!.status, sent], ['queued', [`${project.id}-2`]])
    assert.equal((await commands[request](project.id)).state.revision, state.revision)
  })

test('a project that does not go on by itself is pending between two stages', async (t) => {
  const { commands, project } = await openCase(t)
  await commands.executeStage(project.id, executionOf('write'))
  await complete(project, 'write')
  assert.equal(project.read().state.status, 'pending')
  assert.equal((await commands.start(project.id)).state.stages[1]!.status, 'queued')
})

const executionOf = (stage: string, input: unknown = null) => ({ stage, input, requestId: null })

async function complete(project: Project, stage: string): Promise<void> {
  const attempt = await begin(project, stage)
  await attempt.putArtifact(`${stage}.txt`, { data: stage }, 'text/plain')
  await attempt.complete({ result: null, text: null, credit: NO_CREDIT })
}

/** `sent` are the tasks that the queue was told of. */
async function openCase(t: TestContext) {
  const store = await openStore(t)
  const project = await createProject(store)
  const sent: string[] = []
  const dispatcher = {
    async enqueue(wakeUps: WakeUp[]) {
      sent.push(...wakeUps.map(({ taskId }) => taskId))
      return true
    },
  }
  const deps = { store, dispatcher, registry: { get: () => undefined }, announce: async () => {}, nudge() {} }
  return { store, project, sent, commands: createCommands(deps as unknown as CommandDeps) }
}
