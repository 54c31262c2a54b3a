import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
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

test('a lease that is there and says nothing is held: it may be written this very moment', async (t) => {
  const folder = await tempFolder(t)
  const { owner, release } = holdLease(folder)
  t.after(release)
  for (const text of ['', 'not a number']) {
    writeFileSync(join(folder, `${owner.pid}-${owner.started}`), text)
    assert.equal(isLeaseHeld(folder, owner), true, JSON.stringify(text))
  }
})

test('a renewal leaves the file as long as it was, and brings back one that was taken away', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const folder = await tempFolder(t)
  const { owner, release } = holdLease(folder)
  t.after(release)
  const path = join(folder, `${owner.pid}-${owner.started}`)
  const first = readFileSync(path, 'utf8')
  t.mock.timers.tick(2_500)
  const second = readFileSync(path, 'utf8')
  assert.ok(BigInt(second) > BigInt(first))
  assert.deepEqual([first.length, second.length], [20, 20])
  rmSync(folder, { recursive: true })
  t.mock.timers.tick(2_500)
  assert.equal(isLeaseHeld(folder, owner), true)
})
