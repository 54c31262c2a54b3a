/** What people see while a stage streams: how far behind they are, and what they cost the process that serves them. */
import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { sleep } from '../../src/lib/until.ts'
import type { Benchmark, Finding } from './benchmark.ts'
import type { Instance } from './instance.ts'
import { median, percentile } from './statistics.ts'
import { gather, listenTo, type Place, startTalker } from './viewers-parts.ts'

const PER_SECOND = 200
const TALK = { tokens: 2_000, perSecond: PER_SECOND, stamped: true, keepsPace: true }
const MANY = 100
const MORE = 200

/** Tokens so far apart that none waits for the coalescing window of 40 ms. */
const SEPARATE = { tokens: 20, perSecond: 15, stamped: true, keepsPace: false }
const TALKS = 12

const PROBE_EVERY_MS = 20
const QUIET_MS = 5_000

export const viewers: Benchmark = {
  name: 'viewers',
  what: `a stage's token until a WebSocket has it; ${MANY} and ${MORE} viewers of ${PER_SECOND} tokens/s, whole program`,
  goal: 'one viewer 3 ms (p99 30 ms); 100 viewers p99 100 ms at < 40 % CPU; 200 viewers loop delay p99 20 ms',
  runs: 2,
  async run(bench) {
    await using instance = await startTalker(await bench.folder(), bench.signal)
    const place = { instance, signal: bench.signal }
    await listenTo(place, { ...SEPARATE, tokens: 5 }, MANY) // compiles the hot code
    const found: Found = { first: [], separate: [], lag: [], cpu: [], delay: [], quiet: [], starved: [] }
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}`)
      await listenAlone(place, found)
      await listenWithMany(place, found)
      await probeWithMore(place, found)
    }
    await instance.stop()
    return findingsOf(found)
  },
}

/** `lag` holds what a token waits in the coalescing window; `quiet` is the delay while nothing is streamed. */
type Found = Record<'first' | 'separate' | 'lag' | 'cpu' | 'delay' | 'quiet' | 'starved', number[]>

function findingsOf({ first, separate, lag, cpu, delay, quiet, starved }: Found): Finding[] {
  const finding = (name: string, ours: number[], atMost: number): Finding => {
    const statistic = name.endsWith('p99') ? 'p99' : 'median'
    return { name, unit: 'ms', statistic, ours, reference: [], goal: { of: 'ours', atMost } }
  }
  return [
    finding('emit to viewer', separate, 3),
    finding('emit to viewer, p99', separate, 30),
    finding('first token of a stage', first, 3),
    finding(`behind, slowest of ${MANY}`, lag, 100),
    finding(`behind, slowest of ${MANY}, p99`, lag, 100),
    { ...finding(`CPU, ${MANY} viewers`, cpu, 40), unit: '%' },
    {
      ...finding(`loop delay, ${MORE} viewers, p99`, delay, 20),
      reference: quiet,
      parts: [{ name: 'the process had no CPU, p99', value: percentile(starved, 99), unit: 'ms' }],
    },
  ]
}

async function listenAlone(place: Place, { first, separate }: Found): Promise<void> {
  for (let i = 0; i < TALKS; i++) {
    const [begin, ...rest] = (await listenTo(place, SEPARATE, 1)).lagsMs
    first.push(begin!)
    separate.push(...rest)
  }
}

async function listenWithMany(place: Place, { lag, cpu }: Found): Promise<void> {
  const { lagsMs, cpuPercent } = await listenTo(place, TALK, MANY)
  lag.push(...lagsMs)
  cpu.push(cpuPercent)
}

/** How much longer than usual the simplest route takes: the loop, or the machine, had something else to do. */
async function probeWithMore(place: Place, { delay, quiet, starved }: Found): Promise<void> {
  await using audience = await gather(place, TALK, MORE)
  const before = await probe(place, sleep(QUIET_MS, place.signal))
  const during = await probe(place, audience.listen())
  const usualMs = median(before.map(({ ms }) => ms))
  quiet.push(...before.map(({ ms }) => Math.max(0, ms - usualMs)))
  delay.push(...during.map(({ ms }) => Math.max(0, ms - usualMs)))
  starved.push(...during.map(({ starvedMs }) => starvedMs))
}

/** `starvedMs`: how long of it the supervisor had no CPU, which says more of the machine than of us. */
type Sample = { ms: number; starvedMs: number }

/** Asks at a fixed pace, also while an answer is late: else a long delay would count once. */
async function probe({ instance, signal }: Place, until: Promise<unknown>): Promise<Sample[]> {
  const agent = new Agent({ keepAlive: true })
  const answers: Promise<Sample>[] = []
  let over = false
  const ended = until.finally(() => {
    over = true
  })
  while (!over) {
    answers.push(timeAnswer(instance, agent))
    await Promise.race([sleep(PROBE_EVERY_MS, signal), ended])
  }
  await ended
  const samples = await Promise.all(answers)
  agent.destroy()
  return samples
}

function timeAnswer({ url, pid }: Instance, agent: Agent): Promise<Sample> {
  const [fromMs, starvedMs] = [performance.now(), waitedMs(pid)]
  const answered = Promise.withResolvers<Sample>()
  const request = get(`${url}/livez`, { agent }, (response) => {
    const end = () => answered.resolve({ ms: performance.now() - fromMs, starvedMs: waitedMs(pid) - starvedMs })
    response.resume().once('end', end)
  })
  request.once('error', answered.reject)
  answered.promise.catch(() => {}) // told when all answers are collected
  return answered.promise
}

/** Milliseconds that the main thread was ready to run while others had the CPU. Read at once: a wait would be measured too. */
function waitedMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6
}
