/** The command line without a server: usage, settings, the disk, and the examination. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { dataLayout } from '../../src/project/layout.ts'
import { createProjectStore } from '../../src/project/store.ts'
import { TOKEN_FILE } from '../../src/settings.ts'
import { runCli, tempFolder } from './harness.ts'

const json = (text: string) => JSON.parse(text) as Record<string, any>

test('wrong usage ends with 2, help and version with 0', async () => {
  using temp = tempFolder()
  for (const args of [['bogus'], [], ['cancel'], ['rerun', 'p1'], ['status', '--nope'], ['status', '--timeout', '0']]) {
    const { code, stdout } = await runCli(temp.folder, args)
    assert.deepEqual([code, stdout], [2, ''], args.join(' '))
  }
  const help = await runCli(temp.folder, ['--help'])
  assert.equal(help.code, 0)
  assert.match(help.stdout, /Exit codes: 0 ok/)
  assert.match((await runCli(temp.folder, ['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
})

test('no server: status 69, health 1', async () => {
  using temp = tempFolder()
  const status = await runCli(temp.folder, ['status'])
  assert.deepEqual([status.code, status.stdout], [69, ''])
  assert.match(status.stderr, /error: No server runs on .*npm start/)
  const health = await runCli(temp.folder, ['health', '--json'])
  assert.deepEqual([health.code, json(health.stdout).ok], [1, false])
  writeFileSync(
    join(temp.folder, 'run.json'),
    JSON.stringify({ pid: 1, url: 'http://127.0.0.1:1', run_id: 'x', started_at: '' }),
  )
  assert.equal((await runCli(temp.folder, ['status'])).code, 69, 'one that has died without a word')
})

test('bad settings end with 2, all of them named', async () => {
  using temp = tempFolder()
  const { code, stdout, stderr } = await runCli(temp.folder, ['status', '--json'], { env: { PORT: 'x', REDIS: 'y' } })
  assert.equal(code, 2)
  assert.match(stderr, /PORT=x[\s\S]*REDIS=y/)
  assert.equal(json(stdout).error.details.problems.length, 2)
})

test('projects are read from the disk', async () => {
  using temp = tempFolder()
  const none = await runCli(temp.folder, ['projects', '--json'])
  assert.deepEqual([none.code, json(none.stdout)], [0, []])
  const stages = [{ name: 'shout', queue: 'llm' }]
  const request = {
    id: 'p1',
    pipeline: 'hello',
    title: 'From disk',
    owner: 'operator',
    input: {},
    stages,
    autostart: false,
  }
  await createProjectStore(dataLayout(temp.folder)).create(request)
  const list = await runCli(temp.folder, ['projects'])
  assert.equal(list.code, 0, list.stderr)
  assert.match(list.stdout, /^p1 .*pending.*From disk\n$/)
  assert.match(list.stderr, /No server runs; this is what the disk says/)
  assert.match((await runCli(temp.folder, ['project', 'p1'])).stdout, /From disk\np1, hello, pending/)
  assert.equal((await runCli(temp.folder, ['project', 'nobody'])).code, 4)
  assert.equal((await runCli(temp.folder, ['project', '../p1'])).code, 4)
})

test('chaos: an input that the pipeline refuses is refused before anything starts', async () => {
  using temp = tempFolder()
  const temporary = join(temp.folder, 'tmp')
  mkdirSync(temporary)
  writeFileSync(join(temp.folder, 'hello.ts'), exampleOf(readFileSync('README.md', 'utf8')))
  const env = { PIPELINES_DIR: temp.folder, TMPDIR: temporary }
  const chaos = (...args: string[]) =>
    runCli(temp.folder, ['chaos', '--only', 'nothing', '--pipeline', 'hello', ...args], { env, input: '{"text":""}' })
  const none = await chaos()
  assert.deepEqual([none.code, none.stdout], [2, ''])
  assert.match(none.stderr, /text must be a text that is not empty \(hello has no examples; .* with --input <file>\)/)
  const bad = await chaos('--input', '-')
  assert.equal(bad.code, 2)
  assert.match(bad.stderr, /not empty \(--input -\)/)
  assert.deepEqual(readdirSync(temporary), [])
})

test('chaos: an option that would have no effect is refused', async () => {
  using temp = tempFolder()
  const cases: [args: string[], said: string][] = [
    [['--minutes', '1', '--projects', '3'], '--minutes counts only with --random <kills>; --projects counts only with'],
    [['--random', '5', '--only', 'nothing'], '--only counts only without --random'],
    [['--input', '-'], '--input is for the pipeline that --pipeline <name> names'],
  ]
  for (const [args, said] of cases) {
    const { code, stdout, stderr } = await runCli(temp.folder, ['chaos', ...args])
    assert.deepEqual([code, stdout, stderr.startsWith(`error: ${said}`)], [2, '', true], stderr)
  }
})

test('doctor: names what is missing, and how to get it', async () => {
  using temp = tempFolder()
  const well = await runCli(temp.folder, ['doctor', '--json'], { env: { PORT: '0' } })
  const levels = Object.fromEntries(json(well.stdout).map(({ name, level }: any) => [name, level]))
  assert.deepEqual(levels, {
    node: 'ok',
    settings: 'ok',
    'data folder': levels['data folder'],
    server: 'ok',
    redis: 'ok',
    ffmpeg: 'ok',
    ffprobe: 'ok',
    'espeak-ng': 'ok',
    provider: 'ok',
  })
  assert.equal(well.code, 0, well.stdout)
  assert.match(well.stdout, /not running; PORT=0: a free port will be chosen/)
  const bare = await runCli(temp.folder, ['doctor'], { env: { PORT: '0', PATH: temp.folder, REDIS: 'spawn' } })
  assert.equal(bare.code, 1)
  assert.match(bare.stdout, /✖ {2}ffmpeg +ffmpeg is not installed; to install it: \S+/)
  assert.match(bare.stdout, /▲ {2}espeak-ng/)
  assert.match(bare.stdout, /✖ {2}redis +No Redis server/)
  const broken = await runCli(temp.folder, ['doctor'], { env: { PORT: 'x' } })
  assert.equal(broken.code, 1)
  assert.match(broken.stdout, /✖ {2}settings +A setting is not valid/)
  writeFileSync(join(temp.folder, 'file'), '')
  const noFolder = await runCli(temp.folder, ['doctor', '--data-dir', join(temp.folder, 'file', 'below')])
  assert.match(noFolder.stdout, /✖ {2}data folder .*cannot be written/)
})

test('the token has one place', () => {
  assert.equal(dataLayout('/d').token, join('/d', TOKEN_FILE))
})

/** The pipeline that the README shows. */
function exampleOf(readme: string): string {
  return /<!-- example -->\n```ts\n([\s\S]*?)```/.exec(readme)![1]!
}
