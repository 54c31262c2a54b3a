/** The disk fails in the middle of a commit: the stage waits or tries again, nothing is torn, and it ends well when the disk does. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { sleep } from '../../src/lib/until.ts'
import { openJournal } from '../../src/project/journal.ts'
import type { DiskFault } from '../fixtures/preloads/disk-fault.ts'
import { assertUntouched, childrenOf } from '../helpers/children.ts'
import { preloadEnv } from '../helpers/preload.ts'
import { readState } from '../helpers/soundness.ts'
import { type StartedProject, startProject } from '../helpers/started-project.ts'
import { tempFolder } from '../helpers/temp.ts'
import { untilHealthy, untilState, untilStatus } from '../helpers/wait.ts'

/** Longer than the reconciler's period, so that whatever tries again has tried under the fault. */
const FAULT_MS = 5_000

const FAULTS: [words: string, fault: Pick<DiskFault, 'op' | 'code'>][] = [
  ['EIO on fdatasync', { op: 'datasync', code: 'EIO' }],
  ['ENOSPC on fdatasync', { op: 'datasync', code: 'ENOSPC' }],
  ['a short write', { op: 'write', code: 'ENOSPC' }],
  ['EIO in the middle of a write', { op: 'write', code: 'EIO' }],
]

describe('a disk that fails', { concurrency: 3 }, () => {
  for (const [words, fault] of FAULTS)
    test(`${words} of a project's journal in mid-stage: it goes on afterwards, its neighbour does not notice`, async (t) => {
      const { started, strike, heal } = await startTwo(t, { mayTear: fault.op === 'write' })
      const { layout, gates, instance, id, neighbour } = started
      const before = await childrenOf(instance)
      const known = readState(layout, id)
      strike({ ...fault, part: id })
      gates.release('film-2')
      await sleep(FAULT_MS)
      const under = readState(layout, id)
      assert.ok(['running', 'waiting', 'queued'].includes(under.status), `under the fault it is ${under.status}`)
      assert.deepEqual(under.stages[0], known.stages[0])
      await untilStatus({ layout, id: neighbour }, 'completed')
      heal()
      await goOn(started)
      const end = await untilStatus({ layout, id, timeoutMs: 30_000 }, 'completed')
      assert.deepEqual(
        end.stages.map((s) => s.retries),
        [0, 0, 0],
        'a bad disk spends no retry',
      )
      const torn = openJournal(started.paths.journal)
      torn.read()
      t.diagnostic(`${torn.skipped()} torn lines were skipped; film began ${end.stages[1]?.attempts} times`)
      if (fault.op === 'datasync') assert.equal(torn.skipped(), 0)
      assert.equal(gates.visits('write-3'), 2, 'what was done before is not repeated: once for each project')
      await untilHealthy(instance)
      await assertUntouched(instance, before)
    })

  for (const op of ['datasync', 'write'] as const)
    test(`a ${op} that fails when a stage is claimed: no work begins on such a claim, and it is given up again`, async (t) => {
      const file = join(await tempFolder(t), 'fault')
      const start = { env: { ...preloadEnv('disk-fault'), TEST_DISK_FAULT_FILE: file } }
      const project = await startProject(t, { held: ['film-2'], start, mayTear: op === 'write' })
      const { layout, gates, instance } = project
      // The only slot of `film` is taken, so that the second project's claim is made when we say so.
      const { id } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
      await untilState({ layout, id }, (state) => state.stages[1]?.status === 'queued')
      writeFileSync(file, JSON.stringify({ op, code: 'EIO', part: id } satisfies DiskFault))
      gates.release('film-2')
      await untilStatus({ layout, id: project.id }, 'completed')
      await sleep(FAULT_MS)
      assert.equal(gates.visits('film-1'), 1, 'the stage of the second project has not begun')
      rmSync(file)
      await goOn({ ...project, id })
      await untilStatus({ layout, id, timeoutMs: 30_000 }, 'completed')
      assert.equal(gates.visits('film-1'), 2)
      await untilHealthy(instance)
    })
})

test('EIO on the fsync of files and folders in mid-stage: no file counts before it is on the disk', async (t) => {
  const { started, strike, heal } = await startTwo(t)
  const { layout, gates, instance, id, neighbour } = started
  const before = await childrenOf(instance)
  const known = readState(layout, id)
  strike({ op: 'sync', code: 'EIO', part: id })
  gates.release('film-2')
  await untilStatus({ layout, id: neighbour }, 'completed')
  await sleep(FAULT_MS)
  const under = readState(layout, id)
  assert.deepEqual(under.artifacts, known.artifacts, 'no file was recorded that may not be there after a power failure')
  heal()
  await goOn(started)
  const end = await untilStatus({ layout, id, timeoutMs: 30_000 }, 'completed')
  assert.deepEqual(
    end.stages.map((s) => s.retries),
    [0, 0, 0],
  )
  await untilHealthy(instance)
  await assertUntouched(instance, before)
})

for (const op of ['datasync', 'sync', 'write'] as const)
  test(`a ${op} that fails when a project is created: it is refused with a reason, half a project is nowhere, the next one is made`, async (t) => {
    const file = join(await tempFolder(t), 'fault')
    const env = { ...preloadEnv('disk-fault'), TEST_DISK_FAULT_FILE: file, TEST_DISK_FAULT_ENTRY: 'main.ts' }
    const { layout, gates, instance, id } = await startProject(t, { start: { env } })
    await untilStatus({ layout, id }, 'completed')
    writeFileSync(file, JSON.stringify({ op, code: 'EIO', part: layout.projects } satisfies DiskFault))
    const input = { folder: gates.folder }
    await assert.rejects(instance.api.projects.create({ pipeline: 'steps', input }), { code: 'disk' })
    rmSync(file)
    const { items } = await instance.api.projects.list({})
    assert.deepEqual(
      items.map((item) => item.id),
      [id],
    )
    const { id: next } = await instance.api.projects.create({ pipeline: 'steps', input })
    await untilStatus({ layout, id: next }, 'completed')
    await untilHealthy(instance)
  })

type Two = StartedProject & { neighbour: string }

/** Two projects wait in the same step of their last but one stage; a fault can strike one of them. */
async function startTwo(t: TestContext, { mayTear = false } = {}) {
  const file = join(await tempFolder(t), 'fault')
  const start = { env: { ...preloadEnv('disk-fault'), TEST_DISK_FAULT_FILE: file, VIDEO_CONCURRENCY: '2' } }
  const project = await startProject(t, { held: ['film-2'], start, mayTear })
  const { gates, instance } = project
  const { id: neighbour } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
  await gates.reached('film-2', 2)
  return {
    started: { ...project, neighbour } satisfies Two,
    strike: (fault: DiskFault) => writeFileSync(file, JSON.stringify(fault)),
    heal: () => rmSync(file),
  }
}

/** One that waits with reason `disk` goes on when there is clearly more room, or when somebody says so. */
async function goOn({ layout, instance, id }: StartedProject): Promise<void> {
  const state = await untilState({ layout, id }, ({ status }) => status === 'waiting' || status === 'completed')
  if (state.status !== 'waiting') return
  assert.equal(state.reason, 'disk')
  await instance.api.projects.resume(id)
}
