/** The benchmarks' own sums, words and manners: a wrong figure is worse than none. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Finding, Goal } from '../../scripts/bench/benchmark.ts'
import { cloneProject } from '../../scripts/bench/clones.ts'
import { createRecorder } from '../../scripts/bench/recorder.ts'
import { jsonOf, tableOf } from '../../scripts/bench/report.ts'
import { figuresOf, median, percentile } from '../../scripts/bench/statistics.ts'
import { AppError } from '../../src/lib/errors.ts'
import { exec } from '../../src/lib/exec.ts'
import { until } from '../../src/lib/until.ts'
import { createCatalog } from '../../src/project/catalog.ts'
import { dataLayout } from '../../src/project/layout.ts'
import { createProjectStore } from '../../src/project/store.ts'
import { tempFolder } from '../helpers/temp.ts'

const PROGRAM = join(import.meta.dirname, '../../scripts/bench.ts')

test('the median is the middle, the percentile a value that was measured', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 3, 2]), 2.5)
  assert.equal(median([7]), 7)
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
  assert.equal(percentile(hundred, 95), 95)
  assert.equal(percentile([5], 95), 5)
  assert.throws(() => median([]), RangeError)
})

test('a goal speaks of ours, of the ratio or of the difference', () => {
  const met = (goal: Goal | null, reference = [100]) => figuresOf(finding({ goal, reference, ours: [150] })).met
  assert.equal(met({ of: 'ours', atMost: 150 }), true)
  assert.equal(met({ of: 'ours', atMost: 149 }), false)
  assert.equal(met({ of: 'ratio', atLeast: 1.5 }), true)
  assert.equal(met({ of: 'ratio', atLeast: 1.6 }), false)
  assert.equal(met({ of: 'difference', atMost: 50 }), true)
  assert.equal(met({ of: 'difference', atMost: 49 }), false)
  assert.equal(met(null), null)
  assert.equal(met({ of: 'ratio', atMost: 2 }, []), null, 'nothing to compare with is not a success')
})

test('the table says figures, goal and verdict, and what could not be measured', () => {
  const benchmark = { name: 'boot', what: 'a', goal: 'b' }
  const slow = finding({ ours: [900, 1_234, 2_000], reference: [500], goal: { of: 'ours', atMost: 800 } })
  const table = tableOf([
    { benchmark, findings: [{ ...slow, parts: [{ name: 'redis ready', value: 12.345, unit: 'ms' }] }], error: null },
    { benchmark: { ...benchmark, name: 'film' }, findings: [], error: 'no ffmpeg' },
  ])
  const [, , row, part, failed, , reason] = table.split('\n')
  assert.match(row!, /^boot: warm +1,234 ms +900–2,000 +500 ms +2\.47× +≤ 800 ms +NO$/)
  assert.match(part!, /^ {4}redis ready +12\.3 ms$/)
  assert.match(failed!, /^film +not measured$/)
  assert.equal(reason, 'film: no ffmpeg')
  const json = JSON.parse(jsonOf([{ benchmark, findings: [slow], error: null }]))
  assert.deepEqual(json.results[0].findings[0].ours, [900, 1_234, 2_000])
  assert.equal(json.results[0].findings[0].figures.met, false)
})

test('copies of a project are whole projects, listed without being read', async (t) => {
  const layout = dataLayout(await tempFolder(t))
  await Promise.all([layout.projects, layout.open].map((path) => mkdir(path, { recursive: true })))
  const store = createProjectStore(layout)
  const stages = [{ name: 'one', queue: 'llm' }]
  const request = { pipeline: 'p', title: 'T', owner: 'operator', input: { a: 1 }, stages, autostart: false }
  const project = await store.create({ ...request, id: 'template' })
  await project.append({ type: 'cancelled' })
  await createCatalog(store).list({ limit: 1 })
  const ids = await cloneProject(layout.root, 'template', 5)
  const fresh = createProjectStore(layout)
  for (const id of ids) {
    const copy = await fresh.open(id)
    assert.equal(copy.skipped(), 0)
    assert.deepEqual({ ...copy.read().state, id: 'template' }, project.read().state)
    assert.equal(JSON.parse(await readFile(copy.paths.state, 'utf8')).id, id)
  }
  const { items } = await createCatalog(fresh).list({ limit: 10 })
  assert.deepEqual(items.map((item) => item.id).sort(), [...ids, 'template'].sort())
  assert.deepEqual(await fresh.openIds(), [])
})

test('the recorder keeps commands with their inputs', async (t) => {
  const folder = await tempFolder(t)
  const recorder = await createRecorder(await mkdirIn(folder, 'recorder'), '/bin/echo')
  const work = await mkdirIn(folder, 'work')
  await writeFile(join(work, 'a.txt'), 'input')
  const args = ['-i', 'a.txt', 'two words', '']
  const { stdout } = await exec(recorder.program, args, { cwd: work, env: { FONTCONFIG_FILE: 'fonts.conf' } })
  await exec(recorder.program, ['-version'], { cwd: work })
  assert.equal(stdout, '-i a.txt two words \n')
  assert.deepEqual(await recorder.commands(), [{ args, cwd: work, env: { FONTCONFIG_FILE: 'fonts.conf' } }])
  const again = await mkdirIn(folder, 'again')
  await recorder.restore(again)
  assert.equal(await readFile(join(again, 'a.txt'), 'utf8'), 'input')
})

test('what cannot be understood is refused with the usage', async () => {
  for (const args of [['nonsense'], ['--runs', '0'], ['--minutes', 'long'], ['--what']])
    await assert.rejects(
      exec(process.execPath, [PROGRAM, ...args]),
      (error: unknown) =>
        error instanceof AppError &&
        error.details?.exit_code === 2 &&
        /Usage: npm run bench/.test(String(error.details.stderr)),
    )
})

test('benchmarks measure the real program, also one that is killed, print JSON and leave nothing', async (t) => {
  const TMPDIR = await tempFolder(t)
  const { stdout } = await exec(process.execPath, [PROGRAM, 'stop', 'drain', 'crash', '--runs', '1', '--json'], {
    env: { TMPDIR },
    timeoutMs: 300_000,
  })
  const { results } = JSON.parse(stdout) as { results: { error: string | null; findings: Finding[] }[] }
  assert.deepEqual(
    results.map(({ error, findings }) => [error, findings.map(({ name }) => name)]),
    [
      [null, ['idle']],
      [null, ['10 stages']],
      [null, ['nothing left', 'start to resumed']],
    ],
  )
  const findings = results.flatMap((result) => result.findings)
  assert.ok(findings.every(({ ours }) => ours.length === 1 && ours[0]! > 0))
  const idle = findings[0]!
  assert.ok(idle.reference[0]! > 0)
  assert.ok(idle.parts?.some((part) => part.name === 'redis'))
  assert.deepEqual(await readdir(TMPDIR), [])
  const isLeft = async () => (await commandsWith(TMPDIR)).length > 0
  await until(async () => !(await isLeft()), { timeoutMs: 10_000, what: 'the last process to be gone' })
})

function finding(facts: Partial<Finding>): Finding {
  return { name: 'warm', unit: 'ms', statistic: 'median', ours: [1], reference: [], goal: null, ...facts }
}

async function mkdirIn(folder: string, name: string): Promise<string> {
  const path = join(folder, name)
  await mkdir(path)
  return path
}

/** Command lines and environments that name the folder, of processes that still run. */
async function commandsWith(text: string): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter(
    (name) => /^\d+$/.test(name) && name !== String(process.pid),
  )
  const read = async (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '') // gone
  const texts = await Promise.all(pids.map(async (pid) => (await read(pid, 'cmdline')) + (await read(pid, 'environ'))))
  return texts.filter((found) => found.includes(text))
}
