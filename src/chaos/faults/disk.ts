/** The disk is full while stages commit: on a small file system of our own, where we may make one. */
import { execFile, execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmdirSync, statfsSync, writeSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { errnoOf } from '../../lib/errors.ts'
import { sleep } from '../../lib/until.ts'
import type { Fault, Ground } from '../fault.ts'
import { atTheEnd } from '../last-rites.ts'
import { midStage } from '../scene.ts'

const run = promisify(execFile)
const FULL_MS = 6_000

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
]

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
