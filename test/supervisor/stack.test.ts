/** What a process answers about itself, made readable: the innermost frame of ours, named as people find it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeTop, topOf } from '../../src/supervisor/stack.ts'

const HERE = process.cwd()
const OWN = site('evaluate', '')

for (const [what, sites, wanted] of [
  ['our innermost frame', [site('spin', `${HERE}/a.ts`, 3), site('run', `${HERE}/b.ts`, 4)], 'spin (a.ts:3)'],
  ['below those of Node', [site('now', 'node:perf'), site('spin', `file://${HERE}/a.ts`, 3)], 'spin (a.ts:3)'],
  ['of Node when there is no other', [site('now', 'node:perf', 7)], 'now (node:perf:7)'],
  ['without a name', [site('', `${HERE}/a.ts`, 3)], '(anonymous) (a.ts:3)'],
  ['of text that was evaluated', [site('f', '', 1), site('run', `${HERE}/b.ts`, 4)], 'run (b.ts:4)'],
  ['of a module loaded with a query', [site('f', `file://${HERE}/a.ts?take=2`, 1)], 'f (a.ts:1)'],
  ['of another folder that is known', [site('f', '/srv/pipelines/film/a.ts', 1)], 'f (pipelines/film/a.ts:1)'],
  ['of a folder beside it with a longer name', [site('f', '/srv/pipelines2/a.ts', 1)], 'f (/srv/pipelines2/a.ts:1)'],
  ['of a file on another host', [site('f', 'file://host/x.js', 1)], 'f (file://host/x.js:1)'],
  ['of an address that no path can have', [site('f', 'file:///a%2Fb.js', 1)], 'f (file:///a%2Fb.js:1)'],
  ['of anywhere else', [site('f', '/opt/a.ts', 1)], 'f (/opt/a.ts:1)'],
  [
    'of a library, with its caller',
    [site('f', `${HERE}/node_modules/x/a.js`, 1), site('map', 'node:x', 2), site('run', `${HERE}/b.ts`, 4)],
    'f (node_modules/x/a.js:1), called by run (b.ts:4)',
  ],
] as const)
  test(`a frame ${what}`, () => {
    const top = topOf({ sites: [OWN, ...sites], scope: null }, [HERE, '/srv/pipelines'])
    assert.equal(top && describeTop(top), wanted)
  })

test('all that is known: function, place, at most ten frames, and whose work it is', () => {
  const sites = [OWN, ...Array.from({ length: 30 }, (_, i) => site(`f${i}`, `${HERE}/a.ts`, i + 1))]
  const top = topOf({ sites, scope: 'task-1' }, [HERE])!
  assert.deepEqual({ ...top, frames: top.frames.length }, { ...WANTED, frames: 10 })
  assert.deepEqual([top.frames[0], top.frames[9]], ['f0 (a.ts:1)', 'f9 (a.ts:10)'])
})

const WANTED = { function: 'f0', file: 'a.ts', line: 1, column: 5, scope: 'task-1' }

test('nothing of ours runs, or there was no answer', () => {
  for (const answer of [{ sites: [OWN], scope: null }, { sites: [], scope: null }, null, undefined])
    assert.equal(topOf(answer, [HERE]), null)
})

function site(functionName: string, scriptName: string, lineNumber = 1) {
  return { functionName, scriptName, lineNumber, columnNumber: 5 }
}
