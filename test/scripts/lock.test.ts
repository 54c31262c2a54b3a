/** The lock file serves every platform, and names no machine. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { completeLock, type Lock } from '../../scripts/lock/complete-lock.ts'

const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, '../..', name), 'utf8'))

test('package-lock.json has the packages of all platforms: else run npm run lock', () => {
  assert.deepEqual(completeLock(read('package-lock.json')), [])
})

test('package-lock.json has what package.json asks for, in exact versions', () => {
  const lock = read('package-lock.json') as Lock
  const { dependencies, optionalDependencies, devDependencies } = read('package.json')
  for (const [name, version] of Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies }))
    assert.equal(lock.packages[`node_modules/${name}`]?.version, version, name)
})

test('package-lock.json names no registry: whichever is set up serves it', () => {
  const entries = Object.values((read('package-lock.json') as Lock).packages)
  assert.deepEqual(
    entries.flatMap(({ resolved }) => resolved ?? []),
    [],
  )
})

test('what is missing is added for its platform', () => {
  const optionalDependencies = {
    'x-linux-arm64-musl': '1.0.0',
    '@x/y-win32-x64-msvc': '2.0.0',
    'x-linux-x64-gnu': '3.0.0',
  }
  const lock: Lock = { packages: { '': {}, 'node_modules/x': { dev: true, optionalDependencies } } }
  assert.deepEqual(completeLock(lock), ['x-linux-arm64-musl', '@x/y-win32-x64-msvc', 'x-linux-x64-gnu'])
  assert.deepEqual(lock.packages['node_modules/x-linux-arm64-musl'], {
    version: '1.0.0',
    dev: true,
    optional: true,
    os: ['linux'],
    cpu: ['arm64'],
    libc: ['musl'],
  })
  assert.deepEqual(lock.packages['node_modules/@x/y-win32-x64-msvc'], {
    version: '2.0.0',
    dev: true,
    optional: true,
    os: ['win32'],
    cpu: ['x64'],
  })
  assert.deepEqual(lock.packages['node_modules/x-linux-x64-gnu']?.libc, ['glibc'])
  assert.throws(() => completeLock({ packages: { a: { optionalDependencies: { nowhere: '1' } } } }), /nowhere/)
})
