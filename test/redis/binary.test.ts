/** Which Redis program is taken, and what is said when there is none. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { findRedisBinary } from '../../src/redis/binary.ts'
import { untilGone } from '../helpers/processes.ts'
import { temporaryFolder } from './redis-process.ts'

test('the first program that is recent enough', async (t) => {
  const old = await program(t, 'Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc')
  const valkey = await program(t, 'Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc')
  assert.equal(await findRedisBinary({ onProgress() {}, programs: ['/no/such', old, valkey] }), valkey)
})

test('the last resort is announced before it begins', async (t) => {
  const said: string[] = []
  const path = join(await temporaryFolder(t), 'said')
  const builder = await script(
    t,
    `fs.writeFileSync(${JSON.stringify(path)}, ''); console.log('make: done\\n/built/redis')`,
  )
  const onProgress = (text: string) => {
    assert.ok(!existsSync(path))
    said.push(text)
  }
  const found = await findRedisBinary({ onProgress, programs: ['/no/such'], build: builder })
  assert.equal(found, '/built/redis')
  assert.match(said[0]!, /no\/such is not installed.*compiling/)
})

test('a build is given up with the signal, and its compilers end with it', async (t) => {
  const pids = join(await temporaryFolder(t), 'pids')
  const builder = await script(
    t,
    `const make = child_process.spawn('sh', ['-c', 'trap "" TERM; while :; do sleep 1; done'])
     fs.writeFileSync(${JSON.stringify(pids)}, process.pid + ' ' + make.pid + ' ' + process.env.BUILD_MARK)`,
  )
  const giveUp = new AbortController()
  const env = { BUILD_MARK: 'marked' }
  const options = { onProgress() {}, programs: ['/no/such'], build: builder, env, signal: giveUp.signal }
  const found = findRedisBinary(options)
  found.catch(() => {}) // awaited below
  const said = await until(() => existsSync(pids) && readFileSync(pids, 'utf8'), { timeoutMs: 10_000 })
  const [builderPid, makePid, mark] = said.split(' ')
  assert.equal(mark, 'marked', 'it can be found by its environment')
  giveUp.abort(new Error('Ctrl+C'))
  await assert.rejects(found, /^Error: Ctrl\+C$/)
  await untilGone([Number(builderPid), Number(makePid)])
})

test('without any, the error says what was tried and how to install one', async (t) => {
  const old = await program(t, 'Redis server v=5.0.7 sha=00000000:0')
  const builder = await script(t, "console.error('no network'); process.exit(1)")
  await assert.rejects(findRedisBinary({ onProgress() {}, programs: [old], build: builder }), {
    code: 'missing_program',
    message: /version 5\.0\.7, too old; a build failed \(.*no network\)\. To install one: .*redis/,
  })
})

/** A builder; CommonJS, where the modules of Node need no import. */
async function script(t: TestContext, code: string): Promise<string> {
  const path = join(await temporaryFolder(t), 'builder.cjs')
  await writeFile(path, `const fs = require('node:fs'); const child_process = require('node:child_process'); ${code}`)
  return path
}

async function program(t: TestContext, says: string): Promise<string> {
  const path = join(await temporaryFolder(t), 'redis-server')
  await writeFile(path, `#!/bin/sh\necho '${says}'\n`)
  await chmod(path, 0o755)
  return path
}
