/** A worker's sign of life on disk: claims of an owner whose lease has ended may be taken over. */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { identityOf, isAlive, type ProcessIdentity } from '../lib/process-tree.ts'

/** A lease not renewed for so long has ended: six missed renewals. */
export const LEASE_MS = 15_000
const RENEW_MS = 2_500

export type Lease = { owner: ProcessIdentity; release(): void }

/**
 * Renews `<folder>/<pid>-<started>` with the machine's monotonic clock (which all its processes
 * share), so that a change of the wall clock neither ends nor prolongs a lease.
 */
export function holdLease(folder: string, pid = process.pid): Lease {
  const owner = identityOf(pid)
  // Without /proc a pid alone could be reused; a random start mark keeps two owners apart.
  if (owner.started === '') owner.started = randomUUID()
  mkdirSync(folder, { recursive: true })
  const path = leasePath(folder, owner)
  const renew = () => writeFileSync(path, String(process.hrtime.bigint()))
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
      rmSync(path, { force: true })
    },
  }
}

/** True while that very process lives and has renewed its lease. */
export function isLeaseHeld(folder: string, owner: ProcessIdentity): boolean {
  return isAlive(owner) && leaseAgeMs(folder, owner) < LEASE_MS
}

/** Since its last renewal, whether or not the process lives; infinite without a lease: never held, or released. */
export function leaseAgeMs(folder: string, owner: ProcessIdentity): number {
  try {
    const renewed = BigInt(readFileSync(leasePath(folder, owner), 'utf8'))
    return Number(process.hrtime.bigint() - renewed) / 1e6
  } catch {
    return Infinity
  }
}

function leasePath(folder: string, owner: ProcessIdentity): string {
  return join(folder, `${owner.pid}-${owner.started}`)
}
