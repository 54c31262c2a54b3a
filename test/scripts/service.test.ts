/** The systemd unit: what it starts exists, its limit fits a whole stop, and its hardening leaves us what we need. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseTimeSpan } from '../../src/launch/outer-limit.ts'
import { outerLimitLine } from '../../src/launch/stop-words.ts'
import { ERRORS } from '../../src/lib/errors.ts'
import { EXIT_DO_NOT_RETRY } from '../../src/supervisor/policy.ts'

const ROOT = join(import.meta.dirname, '../..')
const HOME = '/opt/showrunner'
const text = readFileSync(join(ROOT, 'scripts/showrunner.service'), 'utf8')
const unit = parseUnit(text)
const of = (key: string) => unit.get(`Service.${key}`)?.at(-1)

/** `Section.Key` → its values, as systemd.syntax(7) has it, without continued lines, which it does not use. */
function parseUnit(source: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  let section = ''
  for (const [i, line] of source.split('\n').entries()) {
    if (line.trim() === '' || /^[#;]/.test(line)) continue
    const header = /^\[(\w+)\]$/.exec(line)
    const pair = /^(\w+)=(.*[^\\])?$/.exec(line)
    assert.ok(header || (pair && section !== ''), `line ${i + 1} is no unit syntax: ${line}`)
    if (header) section = header[1]!
    else found.set(`${section}.${pair![1]}`, [...(found.get(`${section}.${pair![1]}`) ?? []), pair![2] ?? ''])
  }
  return found
}

test('it starts the program that npm start starts, without npm in between', () => {
  const [node, ...args] = of('ExecStart')!.split(' ')
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } }
  assert.equal(`exec node ${args.join(' ')}`, scripts.start)
  assert.equal(of('WorkingDirectory'), HOME)
  assert.ok(node!.startsWith(`${HOME}/`))
  for (const path of [node!.slice(HOME.length + 1), args.at(-1)!]) assert.ok(existsSync(join(ROOT, path)), path)
})

test('a whole stop fits, SIGTERM goes to the supervisor alone, and what cannot help is not tried again', () => {
  assert.equal(of('Type'), 'exec')
  assert.equal(of('KillMode'), 'mixed')
  assert.equal(of('Restart'), 'on-failure')
  const seconds = parseTimeSpan(`${of('TimeoutStopSec')}s`)!
  assert.equal(outerLimitLine({ by: 'systemd', seconds }), null)
  const { settings, conflict, unavailable } = ERRORS
  const hopeless = [settings.exit, conflict.exit, unavailable.exit, EXIT_DO_NOT_RETRY]
  assert.deepEqual(of('RestartPreventExitStatus')!.split(' ').map(Number), hopeless)
})

test('the folders that it writes to are the ones that it may write to', () => {
  const environment = Object.fromEntries(
    of('Environment')!
      .split(' ')
      .map((pair) => pair.split('=')),
  )
  assert.equal(environment.DATA_DIR, `/var/lib/${of('StateDirectory')}`)
  assert.equal(environment.NODE_COMPILE_CACHE, `/var/cache/${of('CacheDirectory')}`)
  assert.equal(of('ProtectSystem'), 'strict')
})

test('nothing is forbidden that is needed: code made at run time, sockets, the death signal of children', () => {
  assert.equal(of('MemoryDenyWriteExecute'), undefined, 'V8 could not compile')
  for (const family of ['AF_UNIX', 'AF_INET', 'AF_INET6']) assert.ok(of('RestrictAddressFamilies')!.includes(family))
  assert.equal(of('ProcSubset'), undefined, 'the sweep reads /proc')
  assert.equal(of('SystemCallErrorNumber'), 'EPERM', 'a call that is filtered must not kill')
})

test('systemd itself finds no fault with it', (t) => {
  if (spawnSync('systemd-analyze', ['--version']).status !== 0) return t.skip('systemd is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'showrunner-unit-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const verify = (content: string) => {
    const file = join(folder, 'showrunner.service')
    writeFileSync(file, content.replaceAll(HOME, ROOT))
    return spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8', timeout: 30_000 })
  }
  const { status, stderr } = verify(text)
  assert.deepEqual([status, ours(stderr)], [0, []])
  assert.notDeepEqual(
    ours(verify(text.replace('KillMode=mixed', 'KillMode=soft')).stderr),
    [],
    'a fault would be found',
  )
})

/** It reads the units of this machine as well, which are none of our business. */
function ours(stderr: string): string[] {
  return stderr.split('\n').filter((line) => line.includes('showrunner.service'))
}
