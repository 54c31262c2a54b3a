/** What operators may ask of the workforce, case by case, over a supervisor that only notes what it is told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LaunchFact } from '../../src/launch/facts.ts'
import { createWorkforce } from '../../src/launch/workforce.ts'
import { AppError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { ChildStatus } from '../../src/supervisor/child-record.ts'
import type { ChildSpec } from '../../src/supervisor/spec.ts'
import type { Supervisor } from '../../src/supervisor/supervisor.ts'
import { childStatus } from './child-status.ts'

const GROUPS = [
  { name: 'io', queues: ['llm' as const, 'image' as const], processes: 1 },
  { name: 'media', queues: ['video' as const], processes: 1 },
]
const ORDER = { drain: { reason: 'recycle', abortInMs: 900_000 }, deadlineMs: 910_000 }
const REDIS = childStatus({ name: 'redis', group: 'redis' })
const SCHEDULER = childStatus({ name: 'scheduler', group: 'scheduler' })

function office(children: ChildStatus[], phase: 'starting' | 'running' | 'stopping' = 'running') {
  const told: unknown[] = []
  const facts: LaunchFact[] = []
  const removals: PromiseWithResolvers<void>[] = []
  const supervisor = {
    status: () => children,
    restart: (name: string) => void told.push(['restart', name]),
    replace(name: string, how: object) {
      told.push(['replace', name, how])
      return true
    },
    add(spec: ChildSpec) {
      told.push(['add', spec.name])
      children = [...children, childStatus({ name: spec.name, phase: 'starting', ready: false })]
    },
    remove(name: string, how: object) {
      told.push(['remove', name, how])
      const removal = Promise.withResolvers<void>()
      removals.push(removal)
      return removal.promise
    },
  }
  const workforce = createWorkforce({
    supervisor: supervisor as unknown as Supervisor,
    groups: GROUPS,
    specFor: (name, group) => ({ name, group }) as ChildSpec,
    held: () => [],
    handOver: () => ORDER,
    phase: () => phase,
    onFact: (fact) => void facts.push(fact),
    log: silentLog,
  })
  return {
    workforce,
    told,
    facts,
    /** The processes that were taken out have ended. */
    async gone(...names: string[]) {
      children = children.filter(({ name }) => !names.includes(name))
      for (const removal of removals.splice(0)) removal.resolve()
      await new Promise(setImmediate)
    },
  }
}

const codeOf = (call: () => unknown) => {
  try {
    call()
    return undefined
  } catch (error) {
    return error instanceof AppError ? error.code : error
  }
}

test('a worker that serves is replaced; the drain leaves its stages their time', () => {
  const { workforce, told, facts } = office([childStatus(), REDIS, SCHEDULER])
  assert.match(workforce.restart('io-1', 'operator').message, /io-1 is being replaced/)
  assert.deepEqual(facts, [{ type: 'operator_asked', process: 'io-1', what: 'a restart', by: 'operator' }])
  assert.deepEqual(told, [['replace', 'io-1', { ...ORDER, why: 'restart asked for by operator' }]])
})

const DOWN = [
  { phase: 'parked', pid: null },
  { phase: 'backoff', pid: null },
] as const
for (const { phase, pid } of DOWN)
  test(`a worker in phase ${phase} is started now`, () => {
    const { workforce, told } = office([childStatus({ phase, pid, ready: false, alive: false })])
    assert.match(workforce.restart('io-1', 'operator').message, /is started now/)
    assert.deepEqual(told, [['restart', 'io-1']])
  })

test('the scheduler is a singleton: it is stopped before it is started again', () => {
  const { workforce, told } = office([childStatus(), SCHEDULER])
  assert.match(workforce.restart('scheduler', 'operator').message, /stopped and started again/)
  assert.deepEqual(told, [['restart', 'scheduler']])
})

const next = childStatus({ name: 'io-1.next', slot: 'io-1', role: 'next', phase: 'starting', ready: false })
const old = childStatus({ name: 'io-1.old', slot: 'io-1', role: 'old', phase: 'stopping', ready: false })
const REFUSALS: [string, string, ChildStatus[], string][] = [
  ['Redis', 'redis', [childStatus(), REDIS], 'wrong_state'],
  ['Redis that is not ours', 'redis', [childStatus()], 'wrong_state'],
  ['an unknown process', 'io-7', [childStatus()], 'not_found'],
  ['one that is being replaced', 'io-1', [childStatus(), next], 'wrong_state'],
  ['a successor', 'io-1.next', [childStatus(), next], 'wrong_state'],
  ['one whose predecessor still drains', 'io-1', [childStatus(), old], 'wrong_state'],
  ['one that drains', 'io-1.old', [childStatus(), old], 'wrong_state'],
  ['one that is starting', 'io-1', [childStatus({ phase: 'starting', ready: false })], 'wrong_state'],
  ['one that is being killed', 'io-1', [childStatus({ phase: 'killing', ready: false })], 'wrong_state'],
  ['one that is being stopped', 'io-1', [childStatus({ phase: 'stopping', ready: false })], 'wrong_state'],
]
for (const [what, name, children, code] of REFUSALS)
  test(`restart of ${what} is refused as ${code}`, () => {
    const { workforce, told } = office(children)
    assert.equal(
      codeOf(() => workforce.restart(name, 'operator')),
      code,
    )
    assert.deepEqual(told, [])
  })

test('nothing is begun while the program starts or stops', () => {
  for (const phase of ['starting', 'stopping'] as const) {
    const { workforce, told } = office([childStatus()], phase)
    assert.equal(
      codeOf(() => workforce.restart('io-1', 'operator')),
      'wrong_state',
    )
    assert.equal(
      codeOf(() => workforce.scale({ group: 'io', processes: 2 }, 'operator')),
      'wrong_state',
    )
    assert.deepEqual(told, [])
    assert.equal(workforce.list().length, 1, 'but it can be looked at')
  }
})

test('scaling starts what is missing and takes the highest numbers out', () => {
  const { workforce, told } = office([childStatus(), childStatus({ name: 'media-1', group: 'media' }), REDIS])
  assert.deepEqual(workforce.scale({ group: 'io', processes: 3 }, 'operator').names, ['io-1', 'io-2', 'io-3'])
  assert.deepEqual(told.splice(0), [
    ['add', 'io-2'],
    ['add', 'io-3'],
  ])
  assert.match(workforce.scale({ group: 'io', processes: 3 }, 'operator').message, /^Nothing changes/)
  assert.deepEqual(told.splice(0), [])
  assert.deepEqual(workforce.scale({ group: 'io', processes: 1 }, 'operator').names, ['io-1'])
  assert.deepEqual(told, [
    ['remove', 'io-2', ORDER],
    ['remove', 'io-3', ORDER],
  ])
  assert.equal(
    codeOf(() => workforce.scale({ group: 'none', processes: 1 }, 'operator')),
    'not_found',
  )
})

const UNWELL: [string, Partial<ChildStatus>, Partial<ChildStatus>][] = [
  ['one that serves stays before one that is parked', { phase: 'parked', ready: false, alive: false, pid: null }, {}],
  ['and before one that is coming up', { phase: 'starting', ready: false }, {}],
  [
    'one that is coming up before one in its pause',
    { phase: 'backoff', ready: false, alive: false, pid: null },
    { phase: 'starting', ready: false },
  ],
]
for (const [what, first, third] of UNWELL)
  test(`of a group that gets fewer processes ${what}, whatever their numbers`, () => {
    const second = childStatus({ name: 'io-2', ...first })
    const { workforce, told } = office([childStatus(first), second, childStatus({ name: 'io-3', ...third })])
    assert.deepEqual(workforce.scale({ group: 'io', processes: 2 }, 'operator').names, ['io-1', 'io-3'])
    assert.deepEqual(told, [['remove', 'io-2', ORDER]])
  })

test('the answer says what happens now, and how to keep it', () => {
  const { workforce } = office([childStatus()])
  const message = (processes: number) => workforce.scale({ group: 'io', processes }, 'operator').message
  const keep = 'This lasts until the next start; to keep it, set WORKERS.'
  assert.equal(message(1), 'Nothing changes: io has 1 process already.')
  assert.equal(message(2), `io-2 is starting. ${keep}`)
  assert.equal(message(4), `io-3 and io-4 are starting. ${keep}`)
  assert.equal(message(4), 'Nothing changes: io has 4 processes already.')
  assert.equal(message(3), `io-4 finishes its work and ends. ${keep}`)
  assert.equal(message(1), `io-2 and io-3 finish their work and end. ${keep}`)
  assert.equal(message(4), `io-5, io-6 and io-7 are starting. ${keep}`)
})

test('a name is free again only when its process has ended', async () => {
  const { workforce, told, gone } = office([childStatus(), childStatus({ name: 'io-2' })])
  workforce.scale({ group: 'io', processes: 1 }, 'operator')
  assert.equal(
    codeOf(() => workforce.restart('io-2', 'operator')),
    'wrong_state',
  )
  assert.deepEqual(workforce.scale({ group: 'io', processes: 2 }, 'operator').names, ['io-1', 'io-3'])
  await gone('io-2')
  told.length = 0
  assert.deepEqual(workforce.scale({ group: 'io', processes: 3 }, 'operator').names, ['io-1', 'io-2', 'io-3'])
  assert.deepEqual(told, [['add', 'io-2']])
})

test('ten and more are counted by number, not by letter', () => {
  const children = Array.from({ length: 11 }, (_, i) => childStatus({ name: `io-${i + 1}` }))
  const { workforce, told } = office(children)
  assert.deepEqual(workforce.scale({ group: 'io', processes: 10 }, 'operator').names.at(-1), 'io-10')
  assert.deepEqual(told, [['remove', 'io-11', ORDER]])
})

test('a successor on its way counts once, and the list shows it beside the one before', () => {
  const { workforce, told } = office([childStatus(), next, old])
  assert.deepEqual(workforce.scale({ group: 'io', processes: 1 }, 'operator').names, ['io-1'])
  assert.deepEqual(told, [])
  assert.deepEqual(
    workforce.list().map(({ name, role }) => [name, role]),
    [
      ['io-1', 'current'],
      ['io-1.next', 'next'],
      ['io-1.old', 'old'],
    ],
  )
})
