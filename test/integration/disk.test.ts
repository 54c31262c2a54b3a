/** The disk is full while work runs and commits: the project waits, nothing is torn, and it goes on when there is room. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { errnoOf } from '../../src/lib/errors.ts'
import { until } from '../../src/lib/until.ts'
import { createGates } from '../helpers/gates.ts'
import { createInstallation } from '../helpers/installation.ts'
import { stageOf, untilHealthy, untilStatus } from '../helpers/wait.ts'

const MB = 1024 * 1024

for (const [words, freeBytes] of [
  ['nearly full', MB],
  ['full to the last byte', 0],
] as const)
  test(`a disk that is ${words} when a stage commits: it waits with reason disk, resume does the rest`, async (t) => {
    const disk = mountSmallDisk(t)
    if (disk === null) return t.skip('mounting a tmpfs is not allowed here')
    const installation = await createInstallation(t, { dataDir: join(disk, 'data'), cleanUp: () => unmount(disk) })
    const { layout } = installation
    const gates = createGates(t)
    gates.hold('large')
    const instance = await installation.start()
    const { id } = await instance.api.projects.create({
      pipeline: 'files',
      input: { folder: gates.folder, bytes: 4 * MB },
    })
    await gates.reached('large')
    const filler = fillUp(disk, freeBytes)
    gates.release('large')
    const gaveUp = () => /stage released|the disk is full/.test(instance.output())
    await until(gaveUp, { timeoutMs: 20_000, what: 'the stage to find the disk full' })
    assert.equal(
      (await instance.api.projects.get(id)).stages[0]?.steps.length,
      1,
      'the API answers, the first step is kept',
    )
    rmSync(filler)
    const waiting = await untilStatus({ layout, id }, 'waiting')
    assert.equal(waiting.reason, 'disk')
    assert.deepEqual(
      waiting.artifacts.map((a) => a.name),
      ['small.bin'],
    )
    await untilHealthy(instance, 30_000)
    await instance.api.projects.resume(id)
    const end = await untilStatus({ layout, id }, 'completed')
    assert.deepEqual(
      end.artifacts.map((a) => [a.name, a.bytes]),
      [
        ['small.bin', 1_000],
        ['large.bin', 4 * MB],
      ],
    )
    assert.equal(stageOf(end, 'make').retries, 0)
    assert.deepEqual([gates.visits('small'), gates.visits('large')], [1, 2])
  })

test('a full disk refuses new projects with 507 and leaves no half-made one behind', async (t) => {
  const disk = mountSmallDisk(t)
  if (disk === null) return t.skip('mounting a tmpfs is not allowed here')
  const installation = await createInstallation(t, { dataDir: join(disk, 'data'), cleanUp: () => unmount(disk) })
  const gates = createGates(t)
  const { api } = await installation.start()
  const filler = fillUp(disk, 0)
  const request = { pipeline: 'steps', input: { folder: gates.folder } }
  await assert.rejects(api.projects.create(request), { code: 'disk' })
  assert.deepEqual((await api.projects.list()).items, [])
  rmSync(filler)
  const { id } = await api.projects.create(request)
  await untilStatus({ layout: installation.layout, id }, 'completed')
})

/** A disk of 32 MB, or null where that needs more rights than we have. */
function mountSmallDisk(t: TestContext): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'showrunner-disk-'))
  try {
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', folder], { stdio: 'ignore' })
    return folder
  } catch {
    rmSync(folder, { recursive: true })
    t.diagnostic('mount -t tmpfs was refused')
    return null
  }
}

function unmount(folder: string): void {
  execFileSync('/bin/umount', [folder])
  rmSync(folder, { recursive: true })
}

/** A file that leaves only so much room. */
function fillUp(disk: string, freeBytes: number): string {
  const path = join(disk, 'filler')
  const fd = openSync(path, 'w')
  const chunk = Buffer.alloc(4_096)
  const free = () => statfsSync(disk).bavail * statfsSync(disk).bsize
  try {
    while (free() > freeBytes) writeSync(fd, chunk)
  } catch (error) {
    if (errnoOf(error) !== 'ENOSPC') throw error
  } finally {
    closeSync(fd)
  }
  return path
}
