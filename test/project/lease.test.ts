import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { identityOf } from '../../src/lib/process-tree.ts'
import { holdLease, isLeaseHeld, LEASE_MS, leaseAgeMs } from '../../src/project/lease.ts'
import { tempFolder } from '../helpers/temp.ts'

test('a lease is held until it is released', async (t) => {
  const folder = await tempFolder(t)
  const lease = holdLease(folder)
  assert.equal(isLeaseHeld(folder, lease.owner), true)
  assert.equal(isLeaseHeld(folder, { ...lease.owner, started: 'another start' }), false)
  lease.release()
  assert.equal(isLeaseHeld(folder, lease.owner), false)
  assert.equal(leaseAgeMs(folder, lease.owner), Infinity)
})

test('a lease ends when it is not renewed, and when its process is dead', async (t) => {
  const folder = await tempFolder(t)
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  const owner = identityOf(child.pid!)
  const renewedAgoMs = (ms: number) =>
    writeFileSync(
      join(folder, `${owner.pid}-${owner.started}`),
      String(process.hrtime.bigint() - BigInt(ms) * 1_000_000n),
    )
  renewedAgoMs(1_000)
  assert.equal(isLeaseHeld(folder, owner), true)
  renewedAgoMs(LEASE_MS + 1)
  assert.equal(isLeaseHeld(folder, owner), false)
  renewedAgoMs(0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(isLeaseHeld(folder, owner), false)
  const ageMs = leaseAgeMs(folder, owner)
  assert.ok(ageMs >= 0 && ageMs < 60_000, 'what the dead one left tells when it was alive last')
})
