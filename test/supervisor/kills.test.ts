/** Kills that come from somewhere else: whose fault they are decides what a restart costs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { nodeSpec } from '../fixtures/children/specs.ts'
import { setUp } from './running.ts'

const WAIT = { timeoutMs: 60_000, everyMs: 10 }
const PATIENCE = { maxCrashes: 2, upMs: 0 }

test('a kill by the kernel for want of memory counts as a crash: a child that eats all is parked', async (t) => {
  const asked: unknown[] = []
  const isOwnFault = (exit: { signal: string | null }) => asked.push(exit.signal) > 0
  const { supervisor, of } = setUp(t, [nodeSpec('worker')], { ...PATIENCE, isOwnFault })
  await supervisor.start()
  for (const start of [1, 2]) await killWhenReady({ supervisor, of }, start)
  await until(() => of('child_parked').length === 1, WAIT)
  assert.deepEqual(
    of('child_restart_planned').map(({ free }) => free),
    [false],
  )
  assert.deepEqual(asked, ['SIGKILL', 'SIGKILL'])
})

test('a kill by a person is free, however often it comes', async (t) => {
  const { supervisor, of } = setUp(t, [nodeSpec('worker')], PATIENCE)
  await supervisor.start()
  for (const start of [1, 2, 3]) await killWhenReady({ supervisor, of }, start)
  await until(() => of('child_ready').length === 4, WAIT)
  assert.ok(of('child_restart_planned').every(({ free }) => free))
})

type Running = Pick<ReturnType<typeof setUp>, 'supervisor' | 'of'>

async function killWhenReady({ supervisor, of }: Running, start: number): Promise<void> {
  await until(() => of('child_ready').length === start, WAIT)
  process.kill(supervisor.status()[0]!.pid!, 'SIGKILL')
}
