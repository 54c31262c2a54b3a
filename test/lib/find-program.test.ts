/** Looking a program up must agree with what could be started. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findProgram } from '../../src/lib/find-program.ts'

test('finds by name on the PATH and by path', async () => {
  assert.match((await findProgram('sh')) ?? '', /\/sh$/)
  assert.equal(await findProgram(process.execPath), process.execPath)
})

test('does not find what is not there or cannot be run', async () => {
  assert.equal(await findProgram('no-such-program-anywhere'), undefined)
  assert.equal(await findProgram(import.meta.filename), undefined)
})
