/** Signals that come before the program serves: heard at every moment of the boot, and nothing is left. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { createInstallation, type Installation } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import type { Program } from '../helpers/program.ts'

type Moment = [words: string, isReached: (program: Program, installation: Installation) => boolean]

const MOMENTS: Moment[] = [
  ['its children are being started', (program) => program.facts('child_spawned').length > 0],
  ['its children are ready', (program) => program.facts('child_ready').length > 2],
  ['it has just said where it serves', (_, { layout }) => existsSync(layout.run)],
]

for (const [words, isReached] of MOMENTS)
  test(`a signal during the boot, when ${words}, ends it and leaves nothing`, async (t) => {
    const installation = await createInstallation(t)
    const program = installation.launch()
    await until(() => isReached(program, installation), { timeoutMs: 40_000, everyMs: 1 })
    program.signal('SIGINT')
    assert.deepEqual(await program.ended(20_000), { code: 0, signal: null })
    // What was killed the kernel may take a moment to clear away.
    await untilGone((await installation.processes()).map((p) => p.pid))
    assert.ok(!existsSync(installation.layout.run))
  })

test('a signal while it still looks for Redis: nothing is started any more', async (t) => {
  const { program, answer } = await lookForRedis(t)
  program.signal('SIGINT')
  answer()
  assert.deepEqual(await program.ended(20_000), { code: 0, signal: null })
  assert.deepEqual(program.facts('child_spawned'), [])
})

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  test(`a second ${signal} during the boot: it ends at once with ${code}, and so does what it has started`, async (t) => {
    const { installation, program, lookingPid, untilTold } = await lookForRedis(t)
    program.signal(signal)
    await untilTold() // from half a second after the first on, another one counts
    const toldMs = performance.now()
    await until(() => performance.now() - toldMs > 550, { timeoutMs: 5_000, everyMs: 10 })
    const isLate = performance.now() - toldMs > 800 // what looks for Redis is killed after a second, which ends the boot
    program.signal(signal)
    const end = await program.ended(15_000)
    assert.deepEqual(end, { code: isLate && end.code === 0 ? 0 : code, signal: null })
    await untilGone([lookingPid])
    await installation.start() // the folder is free
  })

test('SIGQUIT during the boot: it ends at once with 131', async (t) => {
  const { program, lookingPid } = await lookForRedis(t)
  program.signal('SIGQUIT')
  assert.deepEqual(await program.ended(15_000), { code: 131, signal: null })
  await untilGone([lookingPid])
})

/** Its first `redis-server --version` does not end by SIGTERM, nor before it is told to answer. */
async function lookForRedis(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'showrunner-path-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const [fake, asked, told, ended] = ['redis-server', 'asked', 'told', 'ended'].map((name) => join(folder, name))
  await writeFile(fake!, FAKE.replaceAll('ASKED', asked!).replaceAll('TOLD', told!).replaceAll('ENDED', ended!))
  await chmod(fake!, 0o755)
  const installation = await createInstallation(t)
  const program = installation.launch({ env: { PATH: `${folder}:${process.env.PATH}` } })
  const pid = await until(() => existsSync(asked!) && readFileSync(asked!, 'utf8').trim(), { timeoutMs: 20_000 })
  return {
    installation,
    program,
    lookingPid: Number(pid),
    answer: () => writeFileSync(told!, ''),
    /** Until it was told to end. */
    untilTold: () => until(() => existsSync(ended!), { timeoutMs: 10_000, everyMs: 5, what: 'the search to be ended' }),
  }
}

const FAKE = `#!/bin/sh
trap ': >ENDED' TERM
echo $$ >ASKED
until [ -e TOLD ]; do sleep 0.05; done
echo 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc'
`
