/** Bare BullMQ workers: a job says when it ran, and may ask for the next one of its chain. */
import { Queue, Worker } from 'bullmq'

type Data = { chain: string; left: number; wait?: boolean }

const [url, concurrency, ...queues] = process.argv.slice(2)
const connection = { url: url!, maxRetriesPerRequest: null }
const options = { removeOnComplete: true, removeOnFail: true }

const workers = queues.map((name) => {
  const queue = new Queue<Data>(name, { connection })
  return new Worker<Data>(
    name,
    async ({ id, data, attemptsStarted }, token) => {
      const at = performance.timeOrigin + performance.now()
      process.stdout.write(`${JSON.stringify({ id, token, chain: data.chain, left: data.left, at })}\n`)
      if (data.left > 0) await queue.add('noop', { ...data, left: data.left - 1 }, options)
      if (data.wait && attemptsStarted === 1) await new Promise(() => {}) // until somebody kills us
    },
    { connection, concurrency: Number(concurrency) },
  )
})
await Promise.all(workers.map((worker) => worker.waitUntilReady()))
process.on('SIGINT', () => process.exit(0))
process.stdout.write('ready\n')
