/** `status`: what runs, and how it is. */
import type { StatusBody } from '../api/schemas/status.ts'
import { printable } from '../lib/columns.ts'
import type { Output } from './output.ts'
import { bytesText, durationText, textTable } from './text.ts'
import type { Verb } from './verb.ts'

type StatusData = StatusBody['data']
type Worker = NonNullable<StatusData['services']['worker']['workers']>[number]

export const status: Verb = {
  usage: 'status',
  summary: 'what runs, and how it is; exits with 0 when healthy, 1 when not, 69 when nothing answers',
  timeoutS: 10,
  async run({ out, connect, signal }) {
    const { url, client } = await connect()
    const body = await client.status({ signal })
    out.data(body, statusText(body.data, { url, out }))
    return body.data.status === 'healthy' ? 0 : 1
  },
}

export function statusText(data: StatusData, { url, out }: { url: string; out: Pick<Output, 'paint'> }): string {
  const { redis, worker, scheduler } = data.services
  const mark = (good: boolean) => (good ? out.paint('green', '✔') : out.paint('red', '✖'))
  const rows = [
    [mark(redis.running), 'redis', redisText(redis)],
    ...(worker.workers ?? []).map((one) => [mark(one.alive && one.ready), one.name, workerText(one)]),
    ...(worker.workers ? [] : [[mark(worker.alive), 'workers', worker.alive ? 'ready' : 'not ready']]),
    [mark(scheduler.alive), 'scheduler', scheduler.alive ? 'running' : 'not running'],
  ]
  const queues = Object.entries(data.queues).map(([name, { waiting, active, failed }]) =>
    [name, waiting, active, failed].map(String),
  )
  const style = data.status === 'healthy' ? 'green' : 'yellow'
  const { running, interrupted, failed } = data.projects
  return [
    `${out.paint(style, data.status)}: ${printable(data.message)}`,
    `${url}, version ${data.version}, up ${durationText(data.uptime_s)}`,
    '',
    textTable(rows),
    '',
    textTable([['queue', 'waiting', 'active', 'failed'], ...queues]),
    '',
    `projects: ${running} running, ${interrupted} interrupted, ${failed} failed`,
  ].join('\n')
}

function redisText(redis: StatusData['services']['redis']): string {
  if (!redis.running) return 'not reachable'
  const latency = redis.latency_ms === null ? '' : `, ${redis.latency_ms.toFixed(1)} ms`
  return `${redis.mode ?? 'running'}${latency}`
}

function workerText(worker: Worker): string {
  const facts = [
    worker.ready ? 'ready' : worker.alive ? 'starting' : 'down',
    worker.blocked
      ? `no sign of life for ${durationText(worker.blocked.since_s)}${worker.blocked.where ? `, in ${worker.blocked.where}` : ''}`
      : undefined,
    worker.rss_bytes === null || !worker.alive ? undefined : bytesText(worker.rss_bytes),
    worker.uptime_s === null || !worker.alive ? undefined : `up ${durationText(worker.uptime_s)}`,
    worker.restarts === 0 ? undefined : `${worker.restarts} ${worker.restarts === 1 ? 'restart' : 'restarts'}`,
    worker.last_exit === null ? undefined : `last exit: ${worker.last_exit}`,
    ...worker.active.map(({ stage, project_id }) => `${stage} of ${project_id}`),
  ]
  return printable(facts.filter((fact) => fact !== undefined).join(', '))
}
