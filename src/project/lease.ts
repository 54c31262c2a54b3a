/** A worker's sign of life on disk: claims of an owner whose lease has ended may be taken over. */
import { randomUUID } from 'node:crypto'
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../lib/errors.ts'
import { identityOf, isAlive, type ProcessIdentity } from '../lib/process-tree.ts'

/** A lease not renewed for so long has ended: six missed renewals. */
export const LEASE_MS = 15_000
const RENEW_MS = 2_500
/** Of the largest 64-bit number. */
const DIGITS = 20

export type Lease = { owner: ProcessIdentity; release(): void }

/**
 * Renews `<folder>/<pid>-<started>` with the machine's monotonic clock (which all its processes
 * share), so that a change of the wall clock neither ends nor prolongs a lease.
 */
export function holdLease(folder: string, pid = process.pid): Lease {
  const owner = identityOf(pid)
  // Without /proc a pid alone could be reused; a random start mark keeps two owners apart.
  if (owner.started === '') owner.started = randomUUID()
  const path = leasePath(folder, owner)
  const open = () => {
    mkdirSync(folder, { recursive: true })
    return openSync(path, 'w')
  }
  let file = open()
  const renew = () => {
    if (fstatSync(file).nlink === 0) {
      closeSync(file) // somebody took the file away
      file = open()
    }
    // In place and always as long: nobody reads half of it, and a full disk leaves the last one as it was.
    writeSync(file, String(process.hrtime.bigint()).padStart(DIGITS, '0'), 0)
  }
  renew()
  const timer = setInterval(() => {
    try {
      renew()
    } catch {
      // A full disk must not end the worker; when it lasts, the lease ends, which is the truth.
    }
  }, RENEW_MS)
  timer.unref()
  return {
    owner,
    release() {
      clearInterval(timer)
      closeSync(file)
      rmSync(path, { force: true })
    },
  }
}

/** True while that very process lives and has renewed its lease. */
export function isLeaseHeld(folder: string, owner: ProcessIdentity): boolean {
  return isAlive(owner) && leaseAgeMs(folder, owner) < LEASE_MS
}

/**
 * Since its last renewal, whether or not the process lives; infinite without a lease: never held, or released. One that
 * is there and cannot be read may have been renewed just now: to take a living worker's work is worse than to wait.
 */
export function leaseAgeMs(folder: string, owner: ProcessIdentity): number {
  try {
    const text = readFileSync(leasePath(folder, owner), 'utf8')
    return /^\d+$/.test(text) ? Number(process.hrtime.bigint() - BigInt(text)) / 1e6 : 0
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? Infinity : 0
  }
}

function leasePath(folder: string, owner: ProcessIdentity): string {
  return join(folder, `${owner.pid}-${owner.started}`)
}
