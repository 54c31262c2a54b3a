/** Which Redis program is taken, and what is said when there is none. */
import assert from 'node:assert/strict'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findRedisBinary } from '../../src/redis/binary.ts'
import { temporaryFolder } from './redis-process.ts'

test('the first program that is recent enough', async (t) => {
  const old = await program(t, 'Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc')
  const valkey = await program(t, 'Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc')
  assert.equal(await findRedisBinary({ onProgress() {}, programs: ['/no/such', old, valkey] }), valkey)
})

test('the last resort is announced before it begins', async () => {
  const said: string[] = []
  const build = async () => {
    assert.equal(said.length, 1)
    return '/built/redis-server'
  }
  const found = await findRedisBinary({ onProgress: (text) => said.push(text), programs: ['/no/such'], build })
  assert.equal(found, '/built/redis-server')
  assert.match(said[0]!, /no\/such is not installed.*compiling/)
})

test('without any, the error says what was tried and how to install one', async (t) => {
  const old = await program(t, 'Redis server v=5.0.7 sha=00000000:0')
  const options = { onProgress() {}, programs: [old], build: () => Promise.reject(new Error('no network')) }
  await assert.rejects(findRedisBinary(options), {
    code: 'missing_program',
    message: /version 5\.0\.7, too old; a build failed \(no network\)\. To install one: .*redis/,
  })
})

async function program(t: TestContext, says: string): Promise<string> {
  const path = join(await temporaryFolder(t), 'redis-server')
  await writeFile(path, `#!/bin/sh\necho '${says}'\n`)
  await chmod(path, 0o755)
  return path
}
