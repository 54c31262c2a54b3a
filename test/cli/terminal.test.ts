/** Titles, messages and texts of others reach the terminal as words, never as orders, and leave tables whole. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matrixText } from '../../src/cli/chaos-text.ts'
import type { Output } from '../../src/cli/output.ts'
import { createProgress } from '../../src/cli/progress.ts'
import { projectText } from '../../src/cli/project-text.ts'
import { statusText } from '../../src/cli/status.ts'
import type { Token } from '../../src/stream/events.ts'
import { projectState, statusData } from '../api/deps.ts'
import { startFake } from './harness.ts'

const EVIL = 'a\u001b]0;pwn\u0007\u001b[2Jb\nc'
const ORDERS = /[\p{Cc}--[\t\n]]/v

test('lists: a title is one cell of one line', async () => {
  await using fake = await startFake()
  fake.deps.states.set('p1', projectState({ title: EVIL }))
  const { stdout } = await fake.cli(['projects'])
  assert.match(stdout, /^p1 {2}hello {2}completed .* {2}ab c\n$/)
})

test('errors: of a server and of a project', async () => {
  await using fake = await startFake()
  const refused = await fake.cli(['project', '\u001b[2Jp'])
  assert.equal(refused.code, 4)
  assert.doesNotMatch(refused.stderr, ORDERS)
  fake.deps.states.set('p1', projectState({ status: 'failed', error: { code: 'stage_failed', message: EVIL } }))
  const { stdout } = await fake.cli(['project', 'p1'])
  assert.match(stdout, /\nerror: a·\]0;pwn··\[2Jb\nc \(stage_failed\)\n/)
})

test('a project: title, stage and files keep to their lines', () => {
  const [stage] = projectState().stages
  const shown = projectText(
    projectState({
      title: EVIL,
      stages: [
        { ...stage!, message: EVIL },
        { ...stage!, provider: EVIL, error: { code: 'stage_failed', message: EVIL } },
      ],
      artifacts: [{ name: EVIL, stage: 'shout', mime: EVIL, bytes: 1, sha256: 'x', file: 'x' }],
    }),
  )
  assert.doesNotMatch(shown, ORDERS)
  assert.equal(shown.split('\n').length, 7, shown)
})

test('progress and texts, also where an order is cut in two', () => {
  const heard: string[] = []
  const hear = (text: string) => void heard.push(text)
  const out = { interactive: true, draw: hear, say: hear, write: hear } as unknown as Output
  const [stage] = projectState().stages
  const about = { project_id: 'p1', timestamp: 0, seq: 1, stage: 'shout' }
  for (const texts of [false, true]) {
    const progress = createProgress(out, texts)
    progress.show(projectState({ stages: [{ ...stage!, status: 'running', message: EVIL }] }))
    progress.hear({ ...about, type: 'progress', current: 1, total: 2, progress: 50, item_name: EVIL })
    progress.hear({ ...about, type: 'stage_update', status: 'processing', progress: 1, message: EVIL })
    for (const content of ['one\n\u001b', '[2Jtwo']) progress.hear({ ...about, type: 'token', content } as Token)
    progress.end()
  }
  const shown = heard.join('|')
  assert.doesNotMatch(shown, ORDERS)
  assert.match(shown, /shout: ab c\|/)
  assert.match(shown, /\|one\n·\|\[2Jtwo\|/)
})

test('what a stage calls itself, and why a trial failed', () => {
  const paint = (_style: unknown, text: string) => text
  const data = statusData('healthy')
  const since = '2026-01-01T00:00:00.000Z'
  data.services.worker.workers![0]!.active = [{ project_id: 'p1', stage: EVIL, since }]
  assert.doesNotMatch(statusText(data, { url: 'http://x', out: { paint } }), ORDERS)
  const findings = [{ kind: 'lost', text: EVIL }] as const
  const trial = { id: 'kill', what: 'x', outcome: 'failed', reason: EVIL, findings, folder: null, took_ms: 1 } as const
  const nothing = { noticed_ms: null, again_ms: null, repeated: null }
  const totals = { projects: 1, repeated: 0, lost: 1, doubled: 0, torn: 0, left: 0 }
  const report = { trials: [{ ...trial, ...nothing }], totals, took_ms: 1, seed: '1', ok: false }
  assert.doesNotMatch(matrixText(report as unknown as Parameters<typeof matrixText>[0], { paint }), ORDERS)
})
