/** The disk is full while stages commit: on a small file system of our own, where we may make one. */
import { execFile, execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmdirSync, statfsSync, writeSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { errnoOf } from '../../lib/errors.ts'
import { sleep, until } from '../../lib/until.ts'
import type { Fault, Ground, Scene } from '../fault.ts'
import { atTheEnd } from '../last-rites.ts'
import { giveOrders, preloading, withdrawOrders } from '../preload.ts'
import { expectSameWorkers, midStage, workersOf } from '../scene.ts'

const run = promisify(execFile)
const FULL_MS = 6_000
/** Longer than the reconciler's period, so that whatever tries again has tried under the fault. */
const BAD_MS = 5_000
const RESUMED_MS = 60_000

export const DISK_FAULTS: readonly Fault[] = [
  {
    id: 'disk-full',
    what: 'the disk is full to the last byte for 6 s',
    oursOnly: true,
    mayTear: true,
    ground: mountSmallDisk,
    async strike(scene) {
      await midStage(scene)
      const disk = dirname(scene.rig.layout.root)
      const filler = join(disk, 'filler')
      const atMs = Date.now()
      fillUp(disk, filler)
      await sleep(FULL_MS, scene.signal).finally(() => rm(filler))
      // Its own log of writes is on that disk too, so Redis is the first to refuse, unless all rest.
      const { facts } = scene.instance()
      const noticed = facts.find((fact) => fact.type === 'redis_changed' && fact.atMs >= atMs)
      return [{ atMs, pids: [], noticedMs: noticed ? noticed.atMs - atMs : null }]
    },
  },
  {
    id: 'disk-eio',
    what: 'EIO on each fsync of a journal for 5 s',
    waitsS: 20,
    env: preloading('bad-sync'),
    async strike(scene) {
      await midStage(scene)
      const before = await workersOf(scene)
      const atMs = Date.now()
      giveOrders(scene.rig.folder, 'bad-sync', { code: 'EIO' })
      await sleep(BAD_MS, scene.signal)
      withdrawOrders(scene.rig.folder, 'bad-sync')
      await expectSameWorkers(scene, before)
      await resumeAll(scene)
      return [{ atMs, pids: [], noticedMs: null }]
    },
  },
]

/** A project that waits for the disk goes on when there is clearly more room, or when somebody says so. */
async function resumeAll({ load, instance, signal }: Scene): Promise<void> {
  const isOver = async () => {
    for (const id of load.waiting('disk')) await instance().api.projects.resume(id, { signal })
    return load.open().length === 0
  }
  await until(isOver, { timeoutMs: RESUMED_MS, everyMs: 500, signal, what: 'all projects to go on' })
}

/** 128 MB: more than twice what has to be free before a project that waits for the disk tries again. */
async function mountSmallDisk(): Promise<Ground | { skipped: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'showrunner-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    rmdirSync(folder)
    return { skipped: 'mounting a small file system is not allowed here' }
  }
  const forget = atTheEnd(() => {
    execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' })
    rmdirSync(folder)
  })
  return {
    dataDir: join(folder, 'data'),
    async release(keepIn) {
      if (keepIn !== null) await cp(join(folder, 'data'), join(keepIn, 'data'), { recursive: true })
      await run('umount', [folder])
      forget()
      await rm(folder, { recursive: true })
    },
  }
}

function fillUp(disk: string, path: string): void {
  const fd = openSync(path, 'w')
  const chunk = Buffer.alloc(4_096)
  try {
    while (statfsSync(disk).bavail > 0) writeSync(fd, chunk)
  } catch (error) {
    if (errnoOf(error) !== 'ENOSPC') throw error
  } finally {
    closeSync(fd)
  }
}
