/** The program, asked why its processes are as they are, after each of the things that can happen to them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { runCli } from '../cli/harness.ts'
import { createInstallation, type Instance } from '../helpers/installation.ts'
import { killSupervisor, startProject } from '../helpers/started-project.ts'
import { untilHealthy, untilStatus, workerOf } from '../helpers/wait.ts'

const told = async ({ api }: Instance, name: string) => await api.explain(name)

/** Its chain once the process has come back from what was done to it. */
async function untilRestarted(instance: Instance, name: string, pid: number | null) {
  const probe = async () => {
    const worker = await workerOf(instance, name)
    return worker.ready && worker.pid !== pid
  }
  await until(probe, { timeoutMs: 30_000, everyMs: 20, what: `${name} to be restarted` })
  return told(instance, name)
}

test('a worker is killed: from outside, it says, what became of its stage, and who Redis took along', async (t) => {
  const { gates, instance, layout, id } = await startProject(t, { held: ['write-2'] })
  assert.match(
    (await told(instance, 'io-1')).summary,
    /^io-1 was started with the program at .*; it has been ready since/,
  )
  const { pid } = await workerOf(instance, 'io-1')
  process.kill(pid!, 'SIGKILL')
  const why = await untilRestarted(instance, 'io-1', pid)
  assert.match(
    why.summary,
    /^io-1 was restarted at [\d:]+, because it was ended by SIGKILL, from outside Showrunner; it has been ready since [\d:]+\.$/,
  )
  const takenBack = async () => (await told(instance, 'io-1')).history.find(({ event }) => event === 'jobs_taken_back')
  const { id: entry } = await until(takenBack, { timeoutMs: 20_000, what: 'its jobs to be taken back' })
  // That goes on beside its restart; on a slow disk it ends behind it, and is no part of how it came to be ready.
  const isPart = entry < why.chain.at(-1)!.id
  const wanted = ['exited', 'restart_planned', ...(isPart ? ['jobs_taken_back'] : []), 'spawned', 'ready']
  const events = why.chain.map(({ event }) => event)
  assert.ok(
    wanted.every((event) => events.includes(event)),
    events.join(),
  )
  assert.deepEqual([why.state, why.last_exit?.signal], ['ready', 'SIGKILL'])
  await gates.reached('write-2', 2)
  gates.release('write-2')
  await untilStatus({ layout, id }, 'completed')
  const redis = (await instance.api.status()).data.services.redis.pid!
  process.kill(redis, 'SIGKILL')
  await until(async () => /^redis was restarted .*SIGKILL/.test((await told(instance, 'redis')).summary), {
    timeoutMs: 30_000,
    everyMs: 50,
  })
  await untilHealthy(instance)
})

test('a worker hangs: the sentence has the function and the line', async (t) => {
  const { gates, instance } = await startProject(t, {
    pipeline: 'busy',
    held: ['loop'],
    input: { ms: 60_000 },
    start: { env: { HANG_KILL_S: '6' } }, // the suspicion is told at most 4 s after the last sign
  })
  const { pid } = await workerOf(instance, 'media-1')
  gates.release('loop')
  const { summary, chain } = await untilRestarted(instance, 'media-1', pid)
  assert.match(summary, /^media-1 was restarted at .*, because it gave no sign of life for \d+\.\d s; .*busy\.ts:\d+/)
  const hung = chain.find(({ event }) => event === 'hung')
  const exit = chain.find(({ event }) => event === 'exited')
  assert.ok(hung && exit && exit.cause === hung.id, 'the end was caused by the kill, and the kill by the silence')
  assert.equal(hung.cause, chain.find(({ event }) => event === 'suspected')?.id)
})

test('a crash loop: parked, with what it printed, and what has to be done', async (t) => {
  const { gates, instance, layout, id } = await startProject(t, { pipeline: 'crash', input: { crashes: 1 } })
  await untilStatus({ layout, id }, 'completed')
  await untilHealthy(instance)
  const once = await told(instance, 'io-1')
  assert.match(once.summary, /because it exited with code \d+ \(.*nobody waits for this.*\)/)
  assert.equal(gates.visits('before'), 1)
  for (let pid: number | null = null; pid !== 0; ) pid = await killScheduler(instance, pid)
  const parked = await told(instance, 'scheduler')
  assert.equal(parked.state, 'parked')
  assert.match(
    parked.summary,
    /^scheduler is not kept running since [\d:]+: it ended \d times within a minute, the last time at [\d:]+, because it was ended by SIGSEGV; the next try is at [\d:]+\.$/,
  )
})

/** As a fault of its own would end it. Gives the pid that it had, and 0 once it is not started again. */
async function killScheduler(instance: Instance, before: number | null): Promise<number> {
  const probe = async () => {
    if ((await told(instance, 'scheduler')).state === 'parked') return { pid: 0 }
    const { pid } = (await instance.api.status()).data.services.scheduler
    return pid && pid !== before ? { pid } : undefined
  }
  const { pid } = await until(probe, { timeoutMs: 40_000, everyMs: 20, what: 'the next scheduler, or none' })
  if (pid !== 0) process.kill(pid, 'SIGSEGV')
  return pid
}

test('after SIGKILL of the supervisor, without a server and with the next one, it is known what happened before', async (t) => {
  const installation = await createInstallation(t)
  const first = await installation.start()
  const { pid } = await workerOf(first, 'io-1')
  process.kill(pid!, 'SIGKILL')
  await untilRestarted(first, 'io-1', pid)
  await killSupervisor(installation, first)
  const offline = await runCli(installation.dataDir, ['explain', 'io-1'])
  assert.equal(offline.code, 0, offline.stderr)
  assert.match(
    offline.stdout,
    /^The program ended without a stop \(.*\), last heard of at [\d:]+\. Before that: io-1 was restarted at [\d:]+, because it was ended by SIGKILL/,
  )
  assert.equal((await runCli(installation.dataDir, ['explain', 'nobody'])).code, 4)
  const second = await installation.start()
  const now = await told(second, 'io-1')
  assert.match(now.summary, /because the run before had ended without a stop/)
  assert.equal(new Set(now.history.map(({ run }) => run)).size, 2, 'both runs are in its history')
  const atKill = now.history.find(({ event, facts }) => event === 'exited' && facts.signal === 'SIGKILL')!
  const then = await runCli(installation.dataDir, ['explain', 'io-1', '--at', atKill.at, '--json'])
  assert.match(
    JSON.parse(then.stdout).summary,
    /^io-1 ended at [\d:]+, because it was ended by SIGKILL.*ready again at/,
  )
  second.signal('SIGTERM')
  await second.ended(20_000)
  const stopped = await runCli(installation.dataDir, ['explain', 'io-1', '--json'])
  assert.match(
    JSON.parse(stopped.stdout).summary,
    /^The program was stopped at [\d:]+\. Before that: io-1 was stopped at [\d:]+, because the program was stopped by SIGTERM\.$/,
  )
})
