/** A trial that breaks down is one that failed, with what is known, and nothing of it stays on the machine. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { describe, test } from 'node:test'
import type { Fault } from '../../src/chaos/fault.ts'
import { runMatrix } from '../../src/chaos/matrix.ts'
import { createRandom } from '../../src/chaos/random.ts'
import { tryFault } from '../../src/chaos/trial.ts'
import { tempFolder } from '../helpers/temp.ts'

const quiet = { onBegin() {}, onEnd() {} }
const optionsOf = (signal = new AbortController().signal) => ({
  random: createRandom('1'),
  signal,
  deadlineMs: 60_000,
})
const fault = (changes: Partial<Fault>): Fault => ({
  id: 'made-up',
  what: 'nothing',
  strike: async () => [],
  ...changes,
})

/** A ground whose release is counted; its data folder cannot be made, so no rig comes about. */
function badGround() {
  const released: (string | null)[] = []
  const ground = async () => ({
    dataDir: '/dev/null/data',
    async release(keepIn: string | null) {
      released.push(keepIn)
    },
  })
  return { ground, released }
}

describe('a trial', () => {
  test('whose instance cannot be made has failed, and its ground is given back', async (t) => {
    process.env.TMPDIR = await tempFolder(t) // other tests make such folders too
    t.after(() => delete process.env.TMPDIR)
    const { ground, released } = badGround()
    const trial = await tryFault(fault({ ground }), optionsOf())
    assert.deepEqual([trial.outcome, trial.folder, released], ['failed', null, [null]])
    assert.match(trial.reason!, /ENOTDIR/)
    assert.deepEqual(await readdir(process.env.TMPDIR), [])
  })

  test('whose ground cannot be given back has failed; the others go on, and there is a scorecard', async () => {
    const ground = async () => ({
      dataDir: '/dev/null/data',
      async release() {
        throw new Error('target is busy')
      },
    })
    const ungrounded = async () => ({ skipped: 'not here' })
    const faults = [fault({ id: 'one', ground }), fault({ id: 'two', ground: ungrounded })]
    const { ok, trials } = await runMatrix({ ...quiet, faults, seed: '1', signal: new AbortController().signal })
    assert.equal(ok, false)
    assert.deepEqual(
      trials.map(({ outcome, reason }) => [outcome, /ENOTDIR.*target is busy|not here/.test(reason ?? '')]),
      [
        ['failed', true],
        ['skipped', true],
      ],
    )
  })

  test('that the user ends throws, and its ground is given back before', async () => {
    const user = new AbortController()
    const { ground, released } = badGround()
    const leave = async () => {
      user.abort()
      return ground()
    }
    await assert.rejects(tryFault(fault({ ground: leave }), optionsOf(user.signal)), { name: 'AbortError' })
    assert.equal(released.length, 1)
    assert.ok(!existsSync('/dev/null/data'))
  })
})
