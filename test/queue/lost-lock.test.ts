/** A job whose lock is lost (a suspended machine, a clock step, an outage) while its stage runs on. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Worker } from 'bullmq'
import { until } from '../../src/lib/until.ts'
import type { HeldJob } from '../../src/queue/job.ts'
import type { JobClaim, Verdict } from '../../src/queue/process-job.ts'
import { openRedis } from '../../src/redis/client.ts'
import { openQueue, PREFIX, wakeUp } from '../helpers/queue.ts'

const KEY = `${PREFIX}:llm`

test('a stage goes on when its job is handed out again: it is held once, is told with the new token, and ends once', async (t) => {
  const { consumer, redis, told, runs, loseLock, verdict } = await openCase(t)
  const [before] = consumer.held()
  await loseLock()
  const [held, ...others] = consumer.held()
  assert.deepEqual([others.length, held?.running, runs.length], [0, true, 1])
  assert.notEqual(held?.token, before?.token)
  assert.equal(await redis.get(`${KEY}:p-1:lock`), held?.token, 'by it the supervisor can take the job back')
  assert.equal(told.at(-1)?.[0]?.token, held?.token)
  assert.equal(await redis.llen(`${KEY}:active`), 1, 'it counts again in the total over all processes')
  verdict.resolve({ kind: 'done', outcome: 'completed' })
  await until(async () => (await redis.exists(`${KEY}:p-1`)) === 0, { timeoutMs: 20_000 })
  await until(() => consumer.held().length === 0, { timeoutMs: 20_000 })
  assert.deepEqual([runs.length, consumer.tally.done().completed], [1, 1])
})

test('a drain waits for a stage whose lock was lost and whose job was fetched by another slot, twice even', async (t) => {
  const { consumer, loseLock, verdict } = await openCase(t)
  await loseLock()
  await loseLock()
  let isDrained = false
  const drain = consumer.drain(20_000).then(() => {
    isDrained = true
  })
  const beganMs = performance.now()
  // An idle process is let go after 0.5 s, so after three times as long it was not taken for one.
  await until(() => isDrained || performance.now() - beganMs > 1_500, { timeoutMs: 10_000 })
  assert.deepEqual([isDrained, consumer.held().length], [false, 1])
  verdict.resolve({ kind: 'done', outcome: 'completed' })
  await drain
  assert.equal(consumer.held().length, 0)
})

test('what a stage asks of the queue at its end is done with the token that counts', async (t) => {
  const { redis, consumer, loseLock, verdict } = await openCase(t)
  await loseLock()
  const dueMs = Date.now() + 3_600_000
  verdict.resolve({ kind: 'delay', dueMs, outcome: 'retry' })
  await until(async () => (await redis.zscore(`${KEY}:delayed`, 'p-1')) !== null, { timeoutMs: 20_000 })
  await until(() => consumer.held().length === 0, { timeoutMs: 20_000 })
  assert.deepEqual([await redis.llen(`${KEY}:active`), consumer.tally.done().retried], [0, 1])
})

/** One running stage in a process with three slots, and how its lock is lost until the job has been fetched again. */
async function openCase(t: TestContext) {
  const runs: JobClaim[] = []
  const told: HeldJob[][] = []
  const verdict = Promise.withResolvers<Verdict>()
  let endCheck = async () => {}
  t.after(() => verdict.resolve({ kind: 'done' }))
  t.after(() => endCheck()) // before Redis goes
  const process = (_: unknown, claim: JobClaim) => {
    runs.push(claim)
    claim.onRunning()
    return runs.length === 1 ? verdict.promise : Promise.resolve<Verdict>({ kind: 'done' }) // its claim is held
  }
  const opened = await openQueue(t, { process, slots: 3, onHeld: (jobs) => void told.push(jobs) })
  const { url, redis, consumer, dispatcher } = opened
  assert.ok(await dispatcher.enqueue([wakeUp('p-1')]))
  await until(() => consumer.held()[0]?.running, { timeoutMs: 20_000 })
  const { checkStalled, end } = await openStallCheck(url)
  endCheck = end
  const loseLock = async () => {
    const lost = consumer.held()[0]?.token
    await redis.del(`${KEY}:p-1:lock`)
    const isFetched = async () => {
      await redis.del(`${KEY}:stalled-check`) // all workers together look only every 5 s
      await checkStalled()
      const token = await redis.get(`${KEY}:p-1:lock`)
      return token !== null && token !== lost
    }
    await until(isFetched, { timeoutMs: 20_000, what: 'the job to be fetched again' })
    await until(() => runs.length > 1 || consumer.held()[0]?.token !== lost, { timeoutMs: 20_000 })
  }
  return { ...opened, told, runs, verdict, loseLock }
}

/** BullMQ's own look for jobs without a lock, at will. */
async function openStallCheck(url: string) {
  const connection = openRedis({ url }, 'patient')
  const worker = new Worker('llm', null, { connection, prefix: PREFIX, maxStalledCount: 1_000_000 })
  const end = async () => {
    await worker.close(true)
    connection.disconnect()
  }
  await worker.waitUntilReady()
  const { moveStalledJobsToWait } = worker as unknown as { moveStalledJobsToWait(): Promise<void> }
  return { checkStalled: moveStalledJobsToWait.bind(worker), end }
}
