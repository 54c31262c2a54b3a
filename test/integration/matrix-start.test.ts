/** Two starts at the same instant, again and again: always exactly one serves, also on what the one before has left. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createInstallation } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import type { Program } from '../helpers/program.ts'

test('two starts at the same instant, 20 times: one serves, the other says where; stopped and killed in turn', async (t) => {
  const installation = await createInstallation(t)
  for (let round = 1; round <= 20; round++) {
    const pair = [installation.launch(), installation.launch()]
    const [first, second] = await serving(pair)
    assert.deepEqual(await second.ended(40_000), { code: 0, signal: null }, `round ${round}`)
    const { url } = await first.ready()
    assert.ok(second.output().includes(url), second.output())
    assert.equal((await installation.processes()).length, 4, `round ${round}`)
    if (round % 2 === 0) await stop(first)
    else await kill(first)
  }
})

/** The one that serves, and the other. */
async function serving(pair: Program[]): Promise<[Program, Program]> {
  const outcomes = pair.map(async (program) => (await Promise.race([program.exit, program.ready(60_000)])) && program)
  await Promise.all(outcomes.map((outcome) => outcome.catch(() => {}))) // the other ends before it is ready
  const living = pair.filter((program) => program.exited() === null)
  assert.equal(living.length, 1, pair.map((program) => program.output()).join('\n---\n'))
  return [living[0]!, pair.find((program) => program !== living[0])!]
}

async function stop(program: Program): Promise<void> {
  program.signal('SIGTERM')
  assert.deepEqual(await program.ended(20_000), { code: 0, signal: null })
}

/** Half of the rounds begin while the processes of a killed run are still going away. */
async function kill(program: Program): Promise<void> {
  program.signal('SIGKILL')
  await untilGone([program.pid])
}
