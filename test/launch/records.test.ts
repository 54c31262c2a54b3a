/** Facts become entries and lines; secrets, full disks and sudden ends spoil neither. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openChronicle, readChronicle } from '../../src/launch/chronicle.ts'
import type { LaunchFact } from '../../src/launch/facts.ts'
import { openRecords } from '../../src/launch/records.ts'
import { createRedactor } from '../../src/lib/redact.ts'
import { until } from '../../src/lib/until.ts'
import type { StackTop } from '../../src/supervisor/facts.ts'
import { tempFolder } from '../helpers/temp.ts'

async function open(t: TestContext, folder: string, secrets: string[] = []) {
  const facts: LaunchFact[] = []
  const records = await openRecords({
    folder,
    runId: randomUUID(),
    version: '1.0.0',
    redactor: createRedactor(secrets),
    onFact: (fact) => void facts.push(fact),
  })
  t.after(() => records.close())
  return { records, facts }
}

const stopped: LaunchFact = { type: 'stopped', ms: 5, left: [], waited: null }
const line = (text: string): LaunchFact => ({
  type: 'child_line',
  name: 'io-1.old',
  pid: 7,
  stream: 'stdout',
  line: text,
})

const killed: LaunchFact = {
  ...{ type: 'child_exited', name: 'redis', pid: 1, wanted: false, where: null, code: null, signal: 'SIGKILL' },
  ...{ reason: 'was ended by SIGKILL', killedFor: null, lines: ['x'.repeat(500)] },
}

test('a run knows how the one before ended, also when its processes were killed after that', async (t) => {
  const folder = await tempFolder(t)
  const before = async (...last: LaunchFact[]) => {
    const { records, facts } = await open(t, folder)
    last.forEach(records.tell)
    await records.close()
    return facts[0]?.type === 'booted' ? facts[0].before : undefined
  }
  const after = async () => {
    const found = await before({ type: 'child_spawned', name: 'io-1', pid: 1 })
    return found && [found.how, found.reason]
  }
  assert.equal(await after(), null)
  await before({ type: 'child_stopped', name: 'io-1', ms: 1, forced: false })
  assert.deepEqual(await after(), ['lost', null], 'the end of a process is not the end of the run')
  await before(stopped)
  assert.deepEqual(await after(), ['stopped', null])
  await before({ type: 'boot_failed', reason: `Port 8000 is taken.\n${'x'.repeat(5_000)}` }, ...Array(8).fill(killed))
  assert.deepEqual(await after(), ['boot_failed', 'Port 8000 is taken'])
  await before({ type: 'stop_asked', signal: 'SIGTERM' }, { type: 'faulted', reason: 'x is not a function' }, killed)
  assert.deepEqual(await after(), ['faulted', 'x is not a function'])
  assert.deepEqual(await after(), ['lost', null], 'an end of an earlier run is not that of the last')
  const booted = (await readChronicle(folder)).filter(({ event }) => event === 'booted').map(({ text }) => text)
  assert.ok(booted.some((text) => /; the run before could not be started \(Port 8000 is taken\), at 20\S+$/.test(text)))
  assert.ok(
    booted.some((text) =>
      /; the run before ended by an unexpected error \(x is not a function\), at 20\S+$/.test(text),
    ),
  )
  const entries = await readChronicle(folder)
  assert.deepEqual(
    entries.map(({ id }) => id),
    entries.map((_, i) => i + 1),
  )
})

test('lines go to the log of the slot, facts and the API to that of the supervisor; changes of state to the chronicle', async (t) => {
  const folder = await tempFolder(t)
  const { records, facts } = await open(t, folder)
  records.tell(line('{"level":"warn","time":"x","process":"io-1","message":"careful","stage":"film"}'))
  records.tell(line('{"level":"warn","broken'))
  records.tell({ type: 'api_line', line: '{"level":"error","time":"x","process":"api","message":"oh"}' })
  records.tell({ type: 'child_spawned', name: 'io-1', pid: 9 })
  const { items } = await records.logs.page({ limit: 10 })
  assert.deepEqual(
    items.map(({ process, pid, stream, level, message }) => [process, stream, level, message, pid === process.length]),
    [
      ['supervisor', 'fact', 'debug', `Showrunner 1.0.0 was started as process ${process.pid}`, false],
      ['io-1', 'stdout', 'warn', 'careful', false],
      ['io-1', 'stdout', 'info', '{"level":"warn","broken', false],
      ['supervisor', 'api', 'error', 'oh', false],
      ['supervisor', 'fact', 'debug', 'io-1 was started as process 9', false],
    ],
  )
  assert.deepEqual(items[1]!.facts, { stage: 'film' })
  assert.deepEqual(
    (await readChronicle(folder)).map(({ event }) => event),
    ['booted', 'spawned'],
  )
  assert.equal(facts.length, 5, 'and everything is passed on')
  await records.close()
})

type FactOf<T> = Extract<LaunchFact, { type: T }>
const name = 'io-1'
const where: StackTop = { function: 'spin', file: 'x.ts', line: 1, column: 1, frames: [], scope: null }
const providers = { ffmpeg: { path: 'ffmpeg' }, speech: 'espeak-ng', text: 'builtin', models: null } as const

/** One of each type but the lines of processes, so that a new one has to be thought of. */
const FACTS: { [T in Exclude<LaunchFact['type'], 'child_line' | 'api_line'>]: Omit<FactOf<T>, 'type'> } = {
  ready: {
    ...{ version: '1', ms: 5, url: 'http://x', dataDir: '/d', workers: [], providers, interrupted: [], notes: [] },
    ...{ redis: { mode: 'spawned', where: 'r', why: null, warning: null }, pipelines: { names: [], problems: [] } },
    ...{ resume: 'auto', loginUrl: null, outerLimit: null, withoutInit: false },
  },
  child_spawned: { name, pid: 1 },
  child_ready: { name, ms: 1307.3142959999998, facts: null },
  child_boot_missed: { name, deadlineMs: 5_000 },
  child_suspected: { name, silentMs: 5.5, reason: 'gives no sign of life', where },
  child_recovered: { name, silentMs: 5.5, where },
  child_hung: { name, reason: 'gave no sign of life', where },
  child_exited: killed,
  child_repaired: { name, what: 'its queue was cleaned' },
  child_restart_planned: { name, afterMs: 0.4, free: true },
  child_parked: { name, reason: 'it ended too often', retryMs: null },
  child_stopping: { name },
  child_replacing: { name, why: 'asked for' },
  child_replaced: { name },
  child_replace_failed: { name, reason: 'it ended' },
  child_stopped: { name, ms: 1.5, forced: false },
  process_status: { name, pid: 1, phase: 'ready', uptime_s: 1, restarts: 0, jobs: 0 },
  booted: { version: '1', pid: 1, before: null },
  boot_failed: { reason: 'no port' },
  faulted: { reason: 'x is not a function' },
  operator_asked: { process: name, what: 'restart', by: 'operator' },
  stop_asked: { signal: 'SIGTERM' },
  log_fault: { reason: null },
  survivors_ended: { survivors: [{ pid: 1, command: 'node' }] },
  progress: { sentence: 'Redis is built' },
  redis_changed: { running: true },
  jobs_taken_back: { worker: name, jobs: 1 },
  consumer_refreshed: { name, queue: 'llm', waitedMs: 1.5 },
  death_charged: { worker: name, project: 'p1', stage: 's', reason: 'ended', deaths: 1, failed: false },
  stopping: { running: [{ stage: 's', project: 'p1' }], deadlineS: 18 },
  stop_waiting: { name, jobs: [], told: true, left_s: 2 },
  stop_escalated: { to: 'hurry' },
  component_stopped: { name: 'API', ms: 1.5 },
  stopped,
}

test('the log has a sentence for every fact, whole milliseconds, and no output a second time', async (t) => {
  const { records } = await open(t, await tempFolder(t))
  const facts = Object.entries(FACTS).map(([type, fields]) => ({ type, ...fields }) as LaunchFact)
  for (const fact of facts) records.tell(fact)
  const { items } = await records.logs.page({ limit: 100 })
  assert.deepEqual(
    items.slice(1).map(({ facts: of }) => of?.event),
    facts.map(({ type }) => type),
  )
  for (const { message } of items) assert.match(message, / /)
  assert.doesNotMatch(JSON.stringify(items), /"(ms|\w+Ms)":\d+\.|"lines"|xxx/)
  await records.close()
})

test('nothing taken back is nothing to say', async (t) => {
  const { records } = await open(t, await tempFolder(t))
  records.tell({ type: 'jobs_taken_back', worker: name, jobs: 0 })
  assert.equal((await records.logs.page({ limit: 10 })).items.length, 1)
  await records.close()
})

test('no secret is in any file, whatever it looks like; numbers stay numbers', async (t) => {
  const folder = await tempFolder(t)
  const { records } = await open(t, folder, ['pass"word', '4711'])
  records.tell({ type: 'child_parked', name: 'io-1', reason: 'wrong pass"word, Bearer abcdefghijk', retryMs: 4711 })
  records.tell({
    type: 'api_line',
    line: JSON.stringify({ level: 'info', message: 'pass"word', url: '/?token=abcdefgh' }),
  })
  records.tell({ type: 'boot_failed', reason: 'redis://x:verysecret@h and 4711' })
  records.flushSync()
  const text = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n')
  assert.doesNotMatch(text, /pass\\?"word|abcdefgh|verysecret|and 4711/)
  const parked = (await readChronicle(folder)).find(({ event }) => event === 'parked')
  assert.equal(parked?.facts.retryMs, 4711)
  await records.close()
})

test('a secret at the border of a long entry is hidden before the entry is cut', async (t) => {
  const folder = await tempFolder(t)
  const secret = 'a-secret-of-some-length'
  const chronicle = await openChronicle(folder, { clean: createRedactor([secret]).clean, onFault: assert.ifError })
  const entry = { at: new Date().toISOString(), run: 'r1', process: 'io-1', event: 'exited', cause: null, facts: {} }
  chronicle.append({ ...entry, text: `${'x'.repeat(990)}${secret} and more` })
  await chronicle.close()
  assert.equal((await readChronicle(folder))[0]!.text.slice(990), '*** and mo')
})

test('a full disk: said once, and once when it is over; the run goes on', async (t) => {
  const folder = await tempFolder(t)
  for (const file of ['events.ndjson', 'supervisor.log', 'io-1.log']) symlinkSync('/dev/full', join(folder, file))
  const { records, facts } = await open(t, folder)
  const faults = () => facts.filter((fact) => fact.type === 'log_fault').map(({ reason }) => reason !== null)
  records.tell(line('lost'))
  await until(() => faults().length === 1, { timeoutMs: 20_000 })
  for (const file of readdirSync(folder)) rmSync(join(folder, file))
  const tick = () => {
    records.tell(line('kept'))
    records.tell({ type: 'child_recovered', name: 'io-1', silentMs: 1, where: null })
    return faults().length === 2
  }
  await until(tick, { timeoutMs: 20_000 })
  await records.close()
  assert.deepEqual(faults(), [true, false])
  assert.match(readFileSync(join(folder, 'io-1.log'), 'utf8'), /"message":"kept"/)
  assert.ok((await readChronicle(folder)).length > 0)
})

test('a folder that cannot be read is no reason not to start', async (t) => {
  const folder = join(await tempFolder(t), 'logs')
  mkdirSync(join(folder, 'events.ndjson'), { recursive: true })
  mkdirSync(join(folder, 'io-1.log'))
  const { records, facts } = await open(t, folder)
  records.tell(line('x'))
  await until(() => facts.some(({ type }) => type === 'log_fault'), { timeoutMs: 20_000 })
  await records.close()
})

test('a storm of restarts stays within two files, and costs well below a millisecond each', async (t) => {
  const folder = await tempFolder(t)
  const chronicle = await openChronicle(folder, { clean: createRedactor(['x-secret']).clean, onFault: assert.ifError })
  const entry = { at: new Date().toISOString(), run: 'r1', process: 'io-1', event: 'exited', cause: null }
  const startMs = performance.now()
  for (let n = 0; n < 20_000; n++)
    chronicle.append({ ...entry, text: `io-1 ended ${n}`, facts: { lines: 'x'.repeat(200) } })
  const each = (performance.now() - startMs) / 20_000
  t.diagnostic(`${each.toFixed(3)} ms an entry`)
  assert.ok(each < 1, `${each} ms an entry`)
  await chronicle.close()
  const files = readdirSync(folder)
  assert.deepEqual(files, ['events.1.ndjson', 'events.ndjson'])
  for (const file of files) assert.ok(statSync(join(folder, file)).size <= 1024 * 1024)
  const entries = await readChronicle(folder)
  assert.ok(entries.length > 3_000)
  assert.equal(entries.at(-1)?.id, 20_000)
})
