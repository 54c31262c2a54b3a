/** The end of a trial: whoever still runs is stopped, and only what remains then is left. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exit, Program } from '../../src/chaos/program.ts'
import { stopAndLook } from '../../src/chaos/stop.ts'
import { openStore } from '../helpers/projects.ts'

const signal = new AbortController().signal

/** Ends with `exit` as soon as it is asked to. */
function fakeProgram(exit: Exit, { ended = false } = {}) {
  let is = ended ? exit : null
  const asked: string[] = []
  const program = {
    exited: () => is,
    signal(name: string) {
      asked.push(name)
      is = exit
    },
  } as unknown as Program
  return { program, asked }
}

function fakeRig(programs: Program[], layout: Awaited<ReturnType<typeof openStore>>['layout']) {
  return {
    layout,
    launched: () => programs,
    pids: async () => programs.flatMap((program) => (program.exited() === null ? [process.pid] : [])),
    kill: async () => {},
  }
}

test('a program that boots and does not serve yet is stopped as well, and is not left', async (t) => {
  const { layout } = await openStore(t)
  const ended = fakeProgram({ code: null, signal: 'SIGKILL' }, { ended: true })
  const booting = fakeProgram({ code: 0, signal: null })
  const rig = fakeRig([ended.program, booting.program], layout)
  assert.deepEqual(await stopAndLook(rig, null, signal), [])
  assert.deepEqual([ended.asked, booting.asked], [[], ['SIGTERM']])
})

test('a program that had ended by itself is not said to have ended badly by our signal', async (t) => {
  const { layout } = await openStore(t)
  const { program, asked } = fakeProgram({ code: 1, signal: null }, { ended: true })
  const [finding, ...others] = await stopAndLook(fakeRig([program], layout), program, signal)
  assert.deepEqual([finding?.text, others], ['the program had ended before it was to be stopped: exit code 1', []])
  assert.deepEqual(asked, [])
})

test('a stop that ends badly is found', async (t) => {
  const { layout } = await openStore(t)
  const { program } = fakeProgram({ code: 7, signal: null })
  const findings = await stopAndLook(fakeRig([program], layout), program, signal)
  assert.deepEqual(
    findings.map(({ text }) => text),
    ['SIGTERM did not end it well: exit code 7'],
  )
})
