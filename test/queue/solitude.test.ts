/** Who may be in a process at one time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createSolitude, type Solitude } from '../../src/queue/solitude.ts'
import { createRandom } from '../helpers/random.ts'

type Guest = { leave?: (() => void) | null }

function arrive(gate: Solitude, alone: boolean): Guest {
  const guest: Guest = {}
  void gate.enter(alone).then((leave) => {
    guest.leave = leave
  })
  return guest
}

const areInside = (...guests: Guest[]) => guests.map((guest) => typeof guest.leave === 'function')

test('many may be inside together; one that has to be alone waits for them, and those behind it wait for it', async () => {
  const gate = createSolitude()
  const a = arrive(gate, false)
  const b = arrive(gate, false)
  const suspect = arrive(gate, true)
  const late = arrive(gate, false)
  await turn()
  assert.deepEqual(areInside(a, b, suspect, late), [true, true, false, false])
  a.leave!()
  await turn()
  assert.deepEqual(areInside(suspect, late), [false, false], 'one is still inside')
  b.leave!()
  b.leave!() // a second call changes nothing
  await turn()
  assert.deepEqual(areInside(suspect, late), [true, false])
  suspect.leave!()
  await turn()
  assert.deepEqual(areInside(late), [true])
})

test('a closed gate sends away who waits and who comes, and leaves those inside in peace', async () => {
  const gate = createSolitude()
  const inside = arrive(gate, false)
  const suspect = arrive(gate, true)
  await turn()
  gate.close()
  const late = arrive(gate, false)
  await turn()
  assert.deepEqual([suspect.leave, late.leave, typeof inside.leave], [null, null, 'function'])
  inside.leave!()
})

test('one that has to be alone looks elsewhere while others are here, though not for ever', async () => {
  let nowMs = 0
  const gate = createSolitude(() => nowMs)
  assert.equal(gate.isBetterElsewhere('a'), false, 'nobody is inside')
  const guest = arrive(gate, false)
  await turn()
  const looks = [0, 29_999, 30_000, 100_000].map((ms) => {
    nowMs = ms
    return gate.isBetterElsewhere('a')
  })
  assert.deepEqual(looks, [true, true, false, false])
  assert.equal(gate.isBetterElsewhere('b'), true, 'each for itself')
  guest.leave!()
  assert.equal(gate.isBetterElsewhere('b'), false)
})

test('2,000 random orders: one that is alone is alone, nobody is overtaken, and all get their turn', async () => {
  for (let seed = 1; seed <= 2_000; seed++) await checkOrder(seed)
})

type Visitor = { n: number; alone: boolean; leave: () => void }

async function checkOrder(seed: number): Promise<void> {
  const random = createRandom(`${seed}`)
  const gate = createSolitude()
  const inside = new Set<Visitor>()
  const order: number[] = []
  const total = 12
  for (let n = 0; n < total || inside.size > 0; ) {
    if (n < total && random() < 0.5) {
      const visitor: Visitor = { n: n++, alone: random() < 0.3, leave: () => {} }
      void gate.enter(visitor.alone).then((leave) => {
        visitor.leave = leave!
        inside.add(visitor)
        order.push(visitor.n)
      })
    } else {
      const any = [...inside][Math.floor(random() * inside.size)]
      if (any) inside.delete(any)
      any?.leave()
    }
    if (random() < 0.7) await turn() // else several come and go before anybody is told
    if (n === total) await turn()
    const isAlone = [...inside].some((visitor) => visitor.alone)
    assert.ok(!isAlone || inside.size === 1, `seed ${seed}: ${inside.size} beside one that has to be alone`)
  }
  assert.deepEqual(
    order,
    Array.from({ length: total }, (_, n) => n),
    `seed ${seed}`,
  )
}
