/** Who is told how many share the work, and when. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createShares } from '../../src/launch/shares.ts'
import { shareOf } from '../../src/queue/share.ts'
import type { ChildStatus } from '../../src/supervisor/child-record.ts'
import { childStatus } from './child-status.ts'

test('a share is never below one, and all shares reach the total', () => {
  for (let total = 1; total <= 20; total++)
    for (let processes = 1; processes <= 32; processes++) {
      const share = shareOf(total, processes)
      assert.ok(share >= 1 && share <= total && share * processes >= total)
      assert.ok((share - 1) * processes < total, 'and no more than that needs')
    }
  assert.equal(shareOf(8, 0), 8)
})

function world(processes: number) {
  let children: ChildStatus[] = []
  let said: [string, number][] = []
  const share = createShares({
    groups: [{ name: 'io', queues: ['llm'], processes }],
    supervisor: {
      status: () => children,
      send(name, message) {
        said.push([name, (message as { processes: number }).processes])
        return name !== 'deaf'
      },
    },
  })
  return (...next: Partial<ChildStatus>[]) => {
    said = []
    children = next.map((child, i) => childStatus({ pid: 100 + i, ...child }))
    share()
    return said
  }
}

test('each is told once, when the number changes, and nobody what the settings say anyway', () => {
  const see = world(1)
  assert.deepEqual(see({}), [])
  assert.deepEqual(see({}, { name: 'io-2', ready: false, phase: 'starting' }), [])
  assert.deepEqual(see({}, { name: 'io-2' }), [
    ['io-1', 2],
    ['io-2', 2],
  ])
  assert.deepEqual(see({}, { name: 'io-2' }), [])
  assert.deepEqual(see({}), [['io-1', 1]])
})

test('a successor is told anew, one that finishes does not count, nor do other groups', () => {
  const see = world(2)
  assert.deepEqual(see({}, { name: 'io-2' }), [])
  const old = { name: 'io-2.old', slot: 'io-2', role: 'old', ready: false, phase: 'stopping' } as const
  assert.deepEqual(see({}, { name: 'io-2', pid: 200 }, old, { name: 'media-1', group: 'media' }), [])
  assert.deepEqual(see({}, old), [['io-1', 1]])
  assert.deepEqual(see({ pid: 300 }, old), [['io-1', 1]], 'a new process knows nothing')
})

test('one that has just died does not count, and a group of one tells nobody', () => {
  const dead = { pid: null, alive: false }
  const pair = world(2)
  assert.deepEqual(pair({}, { name: 'io-2', ...dead }), [['io-1', 1]])
  assert.deepEqual(pair(dead, { name: 'io-2', ...dead }), [])
  assert.deepEqual(pair({ pid: 200 }, { name: 'io-2', pid: 201 }), [], 'both are new, and know the settings')
  const lone = world(1)
  assert.deepEqual(lone(dead), [])
  assert.deepEqual(lone({ pid: 200 }), [])
})

test('while a successor comes up its dead predecessor does not count either', () => {
  const see = world(2)
  const next = { name: 'io-2', ready: false, phase: 'starting' } as const
  assert.deepEqual(see({}, { name: 'io-2' }), [])
  assert.deepEqual(see({}, { name: 'io-2', pid: null }, { ...next, name: 'io-2.next', role: 'next' }), [['io-1', 1]])
  assert.deepEqual(see({}, { ...next, pid: 200 }), [])
  assert.deepEqual(see({}, { name: 'io-2', pid: 200 }), [['io-1', 2]])
})

test('who could not be reached is told again', () => {
  const see = world(1)
  const two = [{ name: 'deaf' }, { name: 'io-2' }]
  assert.deepEqual(see(...two), [
    ['deaf', 2],
    ['io-2', 2],
  ])
  assert.deepEqual(see(...two), [['deaf', 2]])
})
