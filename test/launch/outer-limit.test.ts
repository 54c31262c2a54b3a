/** Who kills us from outside, and when: told from what the environment, systemd and the kernel say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decideOuterLimit,
  limitFrom,
  type OuterLimit,
  parseTimeSpan,
  type Surroundings,
  unitOf,
} from '../../src/launch/outer-limit.ts'

const NOTHING: Surroundings = { setting: null, systemdS: null, kubernetes: false, container: false }

const CASES: [words: string, facts: Partial<Surroundings>, limit: OuterLimit | null][] = [
  ['a desk: nobody', {}, null],
  ['Docker: ten seconds', { container: true }, { by: 'docker', seconds: 10 }],
  [
    'Kubernetes, in a container of course: thirty',
    { kubernetes: true, container: true },
    { by: 'kubernetes', seconds: 30 },
  ],
  ['systemd says it itself', { systemdS: 90 }, { by: 'systemd', seconds: 90 }],
  [
    'systemd in a container: systemd, for it is nearer',
    { systemdS: 15, container: true },
    { by: 'systemd', seconds: 15 },
  ],
  ['systemd that waits for ever: nobody', { systemdS: Number.POSITIVE_INFINITY, container: true }, null],
  [
    'the setting wins over all',
    { setting: 25, systemdS: 90, kubernetes: true, container: true },
    { by: 'setting', seconds: 25 },
  ],
]

for (const [words, facts, limit] of CASES)
  test(words, () => assert.deepEqual(decideOuterLimit({ ...NOTHING, ...facts }), limit))

const UNITS: [words: string, cgroup: string, unit: ReturnType<typeof unitOf>][] = [
  ['a service', '0::/system.slice/showrunner.service\n', { name: 'showrunner.service', ofUser: false }],
  [
    "a user's service",
    '0::/user.slice/user-1000.slice/user@1000.service/app.slice/showrunner.service\n',
    { name: 'showrunner.service', ofUser: true },
  ],
  [
    'a service under control groups of version 1',
    '12:cpu:/x\n1:name=systemd:/system.slice/a.service\n0::/\n',
    { name: 'a.service', ofUser: false },
  ],
  ['a login', '0::/user.slice/user-1000.slice/session-3.scope\n', null],
  [
    'a terminal of a desktop, which inherits the variables of a service',
    '0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-x.slice/vte-spawn-1.scope\n',
    null,
  ],
  ['a container', '0::/\n', null],
  ['a system without control groups', '', null],
]

for (const [words, cgroup, unit] of UNITS) test(`unit: ${words}`, () => assert.deepEqual(unitOf(cgroup), unit))

test("a unit's limit counts for its main process only: what cron starts is not stopped with cron", () => {
  const answer = 'TimeoutStopUSec=1min 30s\nMainPID=42\n'
  assert.equal(limitFrom(answer, [42, 7]), 90)
  assert.equal(limitFrom(answer, [7, 42]), 90, 'npm is the main process')
  assert.equal(limitFrom(answer, [7, 8]), null)
  assert.equal(limitFrom('MainPID=42\n', [42]), null)
  assert.equal(limitFrom('', [42]), null)
})

const SPANS: [text: string, seconds: number | null][] = [
  ['40s', 40],
  ['1min 30s', 90],
  ['1h 1min 500ms', 3_660.5],
  ['2.500000s', 2.5],
  ['0', null],
  ['infinity', Number.POSITIVE_INFINITY],
  ['', null],
  ['[not set]', null],
]

for (const [text, seconds] of SPANS)
  test(`time span ${text || '(empty)'}`, () => assert.equal(parseTimeSpan(text), seconds))
