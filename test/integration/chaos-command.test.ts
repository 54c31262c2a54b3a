/** The command `chaos` on the real program: its scorecard, its exit codes, and that it leaves nothing behind. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FAULTS } from '../../src/chaos/faults.ts'
import type { Report } from '../../src/chaos/matrix.ts'
import { sleep, until } from '../../src/lib/until.ts'
import { chaos, type Running } from '../helpers/chaos.ts'
import { processesWith } from '../helpers/processes.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { tempFolder } from '../helpers/temp.ts'

test('a worker killed, the supervisor killed, and a stop: nothing is lost, and the scorecard says the times', async (t) => {
  const only = ['kill-worker', 'kill-supervisor', 'sigterm'].flatMap((fault) => ['--only', fault])
  const run = await chaos(t, [...only, '--seed', '7', '--json'])
  const { code, stdout, stderr } = await run.ended(200_000)
  const report = JSON.parse(stdout) as Report
  assert.equal(code, 0, `${stderr}${stdout}`)
  assert.deepEqual(report.totals, { ...report.totals, lost: 0, doubled: 0, torn: 0, left: 0, wrong: 0, projects: 12 })
  assert.deepEqual([report.ok, report.seed], [true, '7'])
  const [worker, supervisor, stop] = report.trials
  for (const trial of [worker!, supervisor!]) {
    assert.ok(trial.noticed_ms! >= 0 && trial.again_ms! >= trial.noticed_ms!, JSON.stringify(trial))
    assert.ok(trial.repeated! >= 1, 'it was hit in the middle of a step')
  }
  assert.deepEqual([stop!.outcome, stop!.noticed_ms], ['passed', null])
  assert.deepEqual(await readdir(run.temp), [], 'the temporary folders are gone')
})

test('a pipeline that repeats what it does outside of its steps is found out: exit 1, and the folder is kept', async (t) => {
  const args = ['--pipeline', 'careless', '--only', 'kill-worker']
  const run = await chaos(t, args, { PIPELINES_DIR: await pipelineFolder(t, 'careless') })
  const { code, stdout, stderr } = await run.ended(120_000)
  assert.equal(code, 1, `${stderr}${stdout}`)
  assert.match(stdout, /✖ {2}kill-worker .* 0 +[12] +0 +0 +SIGKILL of each worker/)
  assert.match(stdout, /doubled: what mail does outside of its steps happened 2 times \(project /)
  const kept = /kept to be looked at: (\S+)/.exec(stdout)?.[1]
  assert.ok(kept?.startsWith(run.temp) && existsSync(join(kept, 'data/projects')), stdout)
})

test('a pipeline that minds its steps passes, also when the programs that it has started are killed with all else', async (t) => {
  const args = ['--pipeline', 'careful', '--only', 'kill-worker', '--only', 'kill-children', '--seed', '7']
  const run = await chaos(t, args, { PIPELINES_DIR: await pipelineFolder(t, 'careful') })
  const { code, stdout, stderr } = await run.ended(150_000)
  assert.equal(code, 0, `${stderr}${stdout}`)
  assert.match(stdout, /4 projects: 0 lost, 0 doubled, 0 torn, 0 left behind; [1-9]\d* steps repeated/)
  assert.deepEqual(await readdir(run.temp), [])
})

test('a pipeline that leaves a process behind which no sweep can find is found out: exit 1, one is left', async (t) => {
  const args = ['--pipeline', 'leaving', '--only', 'nothing', '--json']
  const run = await chaos(t, args, { PIPELINES_DIR: await pipelineFolder(t, 'leaving') })
  const { code, stdout, stderr } = await run.ended(120_000)
  assert.equal(code, 1, `${stderr}${stdout}`)
  const { ok, totals, trials } = JSON.parse(stdout) as Report
  assert.deepEqual([ok, totals], [false, { ...totals, lost: 0, doubled: 0, torn: 0, left: 1, wrong: 0, projects: 2 }])
  assert.match(trials[0]!.findings[0]!.text, /^process \d+ \(sleep 600\) after the stop$/)
})

/** In the middle of a trial: its stages run. */
async function underWay(t: TestContext, faults: readonly string[]): Promise<Running> {
  const run = await chaos(
    t,
    faults.flatMap((fault) => ['--only', fault]),
  )
  const isUnderWay = () => readdirSync(run.temp).some((name) => existsSync(join(run.temp, name, 'effects.ndjson')))
  await until(isUnderWay, { timeoutMs: 60_000, what: 'a stage to run' })
  return run
}

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGHUP', 143],
] as const)
  test(`${signal} in the middle ends it with ${expected} and leaves nothing`, async (t) => {
    const run = await underWay(t, ['second-ctrl-c'])
    run.child.kill(signal)
    const { code } = await run.ended(40_000)
    assert.equal(code, expected)
    assert.deepEqual(await readdir(run.temp), [])
  })

test('Ctrl+C through npm comes twice, which is one press: it ends in good order', async (t) => {
  const run = await underWay(t, ['second-ctrl-c'])
  run.child.kill('SIGINT')
  await sleep(5)
  run.child.kill('SIGINT')
  const { code } = await run.ended(40_000)
  assert.equal(code, 130)
  assert.deepEqual(await readdir(run.temp), [])
})

test('a reader that goes away, as head does, ends it in the middle of the next fault, and nothing is left', async (t) => {
  const run = await underWay(t, ['nothing', 'kill-scheduler'])
  run.child.stdout!.destroy()
  run.child.stderr!.destroy()
  const { code } = await run.ended(60_000)
  assert.equal(code, 0)
  assert.deepEqual(await readdir(run.temp), [])
})

test('ended at once, as by a second Ctrl+C: its program, its folder and its small disk are gone within 2 s', async (t) => {
  const temp = await tempFolder(t, 'showrunner-chaos-test-')
  const { PATH = '', HOME = '' } = process.env
  const script = join(import.meta.dirname, '../fixtures/chaos/rig-holder.ts')
  const argv = ['--disable-warning=ExperimentalWarning', script]
  const child = spawn(process.execPath, argv, {
    env: { PATH, HOME, TMPDIR: temp },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => {
    for (const { pid } of processesWith('TMPDIR', temp)) process.kill(pid, 'SIGKILL')
  })
  const [mounted] = (await once(child.stdout, 'data')) as [Buffer]
  assert.ok(processesWith('TMPDIR', temp).length > 4, 'the program serves')
  child.kill('SIGTERM')
  const watch = startWatch()
  const [code] = (await once(child, 'exit')) as [number]
  watch.assertBelow(2_000)
  assert.deepEqual([code, processesWith('TMPDIR', temp), await readdir(temp)], [3, [], []])
  assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(temp), `mounted was: ${mounted}`)
})

test('faults are named, and a name or number that is none is refused', async (t) => {
  const listed = await (await chaos(t, ['--list'])).ended(40_000)
  for (const { id, what } of FAULTS) assert.match(listed.stdout, new RegExp(`^${id} +${escaped(what)}$`, 'm'))
  const unknown = await (await chaos(t, ['--only', 'earthquake'])).ended(40_000)
  assert.deepEqual([unknown.code, unknown.stdout], [2, ''])
  assert.match(unknown.stderr, /There is no fault "earthquake" here; these are: nothing, kill-worker/)
  const wrong = await (await chaos(t, ['--random', 'many'])).ended(40_000)
  assert.deepEqual([wrong.code, /--random many: expected/.test(wrong.stderr)], [2, true])
  const missing = await (await chaos(t, ['--pipeline', 'missing'])).ended(40_000)
  assert.deepEqual([missing.code, /There is no pipeline "missing"; these are:/.test(missing.stderr)], [4, true])
})

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

async function pipelineFolder(t: TestContext, name: string): Promise<string> {
  const folder = await tempFolder(t)
  await cp(join(import.meta.dirname, `../fixtures/chaos/${name}.mjs`), join(folder, `${name}.mjs`))
  return folder
}
