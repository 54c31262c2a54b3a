/** The set-up script on machines made of stubs: what is asked of which package manager. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const SCRIPT = join(import.meta.dirname, '../../scripts/setup.sh')
const REAL = ['sh', 'dirname', 'env', 'mkdir', 'ln']
const PROGRAMS = ['redis-server', 'ffmpeg', 'espeak-ng', 'npm']

type Machine = { manager: string; has: string[]; user?: 'root' | 'sudo' | 'plain'; node?: 'recent' | 'old' | 'none' }

/** Runs the script where only `has` is installed; every stub writes its call into a log. */
function setUp({ manager, has, user = 'root', node = 'recent' }: Machine, ...args: string[]) {
  const root = mkdtempSync(join(tmpdir(), 'showrunner-setup-'))
  try {
    const bin = join(root, 'bin')
    for (const folder of ['bin', 'scripts', 'node_modules/.bin']) mkdirSync(join(root, folder), { recursive: true })
    copyFileSync(SCRIPT, join(root, 'scripts/setup.sh'))
    const stub = (path: string, body: string) => {
      writeFileSync(path, `#!/bin/sh\n${body}\n`)
      chmodSync(path, 0o755)
    }
    for (const name of REAL) symlinkSync(realPath(name), join(bin, name))
    for (const name of [manager, ...has]) stub(join(bin, name), `echo "${name} $*" >> "${root}/log"`)
    stub(join(bin, 'id'), `echo ${user === 'root' ? 0 : 1000}`)
    if (user === 'sudo') stub(join(bin, 'sudo'), `echo "sudo" >> "${root}/log"\nexec "$@"`)
    if (node !== 'none') stub(join(bin, 'node'), `exit ${node === 'recent' ? 0 : 1}`)
    const { status, stderr } = spawnSync('sh', [join(root, 'scripts/setup.sh'), ...args], {
      env: { PATH: bin },
      encoding: 'utf8',
      timeout: 30_000,
    })
    const log = existsSync(join(root, 'log')) ? readFileSync(join(root, 'log'), 'utf8').trim().split('\n') : []
    return { status, stderr, log, linked: existsSync(join(root, 'node_modules/.bin/node')) }
  } finally {
    rmSync(root, { recursive: true })
  }
}

function realPath(name: string): string {
  return spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim()
}

test('nothing is installed where nothing is missing', () => {
  const { status, log, stderr } = setUp({ manager: 'apt-get', has: PROGRAMS, user: 'plain' })
  assert.equal(status, 0, stderr)
  assert.deepEqual(log, ['npm ci --no-fund --no-audit --loglevel=error'])
})

test('Debian: only what is missing, through sudo when there is one', () => {
  const { status, log } = setUp({ manager: 'apt-get', has: ['ffmpeg', 'npm'], user: 'sudo' })
  assert.equal(status, 0)
  assert.deepEqual(log.slice(0, 4), [
    'sudo',
    'apt-get update -qq',
    'sudo',
    'apt-get install -y -qq --no-install-recommends redis-server espeak-ng',
  ])
})

test('for the tests also a browser and wrk', () => {
  const { log } = setUp({ manager: 'apt-get', has: PROGRAMS }, '--test')
  const installed = log.filter((line) => line.startsWith('apt-get install')).map((line) => line.split(' ').at(-1))
  assert.deepEqual(installed, ['wrk', 'chromium'])
  const present = setUp({ manager: 'apt-get', has: [...PROGRAMS, 'wrk', 'google-chrome'] }, '--test')
  assert.equal(present.log.length, 1)
})

test('Fedora and macOS have names of their own', () => {
  assert.ok(setUp({ manager: 'dnf', has: ['npm'] }).log.includes('dnf install -y -q valkey ffmpeg-free espeak-ng'))
  assert.ok(
    setUp({ manager: 'brew', has: ['npm'], user: 'plain' }).log.includes('brew install -q redis ffmpeg espeak-ng'),
  )
})

test('where no Node comes with the packages, a recent one is linked, or installed', () => {
  assert.equal(setUp({ manager: 'brew', has: PROGRAMS, node: 'recent' }).linked, true)
  const old = setUp({ manager: 'brew', has: PROGRAMS, node: 'old' })
  assert.ok(old.log.includes('brew install -q node@24'))
  assert.equal(old.status, 69, 'the stub installs nothing')
})

test('it says what it cannot do', () => {
  const plain = setUp({ manager: 'apt-get', has: ['npm'], user: 'plain' })
  assert.equal(plain.status, 69)
  assert.match(plain.stderr, /Root rights are needed for: apt-get update/)
  const unknown = setUp({ manager: 'none-known', has: ['npm'] })
  assert.equal(unknown.status, 69)
  assert.match(unknown.stderr, /Please install: redis ffmpeg espeak-ng/)
  assert.equal(setUp({ manager: 'apt-get', has: PROGRAMS }, '--nope').status, 2)
})
