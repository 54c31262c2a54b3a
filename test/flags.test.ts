/** Flags of `npm start`: what is read, and how wrong ones are refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../src/config.ts'
import { parseFlags, USAGE } from '../src/flags.ts'
import { AppError } from '../src/lib/errors.ts'

test('all flags', () => {
  const argv = ['--host', '::1', '--port=0', '--data-dir', 'd', '--new-token', '--json']
  assert.deepEqual(parseFlags(argv), {
    host: '::1',
    port: '0',
    dataDir: 'd',
    newToken: true,
    json: true,
    help: false,
    version: false,
  })
  assert.deepEqual(
    [parseFlags(['-h']).help, parseFlags(['-v']).version, parseFlags(['-p', '1']).port],
    [true, true, '1'],
  )
  for (const flag of ['--host', '--port', '--data-dir', '--new-token', '--json', '--help', '--version'])
    assert.ok(USAGE.includes(flag))
})

test('a wrong flag is an error of the settings', () => {
  for (const argv of [['--nope'], ['--port'], ['extra'], ['--json=1']])
    assert.throws(
      () => parseFlags(argv),
      (error) => error instanceof AppError && error.code === 'settings',
      argv.join(' '),
    )
})

test('a bad value is reported with its flag', () => {
  assert.throws(
    () => loadConfig({ env: {}, cwd: '/', flags: parseFlags(['--port', 'x']) }),
    /PORT=x \(flag --port\): expected a port/,
  )
})
