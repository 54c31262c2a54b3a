import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openJournal } from '../../src/project/journal.ts'
import { decodeRecord, encodeRecord, type JournalRecord, type RecordBody } from '../../src/project/records.ts'
import { tempFolder } from '../helpers/temp.ts'

const CREATED: RecordBody = {
  type: 'created',
  id: 'a',
  pipeline: 'p',
  title: 't',
  owner: 'operator',
  batch_id: null,
  input: { value: { text: 'Grüße 🎬 "crc":"00000000"}' } },
  stages: [{ name: 'write', queue: 'llm' }],
  autostart: true,
}

test('a record survives its own text, and any changed byte unmakes it', () => {
  const record = { at: '2026-01-01T00:00:00.000Z', ...CREATED } as JournalRecord
  const text = encodeRecord(record)
  assert.ok(text.startsWith('\n') && text.endsWith('\n'))
  assert.deepEqual(decodeRecord(text.trim()), record)
  const line = text.trim()
  for (let i = 0; i < line.length; i += 7) {
    const changed = `${line.slice(0, i)}${line[i] === 'x' ? 'y' : 'x'}${line.slice(i + 1)}`
    assert.equal(decodeRecord(changed), undefined, `byte ${i}`)
  }
  assert.equal(decodeRecord(line.slice(0, -3)), undefined)
  assert.equal(decodeRecord(''), undefined)
})

test('torn bytes anywhere harm no other record, and a revision is a position', async (t) => {
  const path = join(await tempFolder(t), 'journal.ndjson')
  const journal = openJournal(path)
  await journal.append(CREATED)
  const whole = readFileSync(path, 'utf8')
  appendFileSync(path, whole.slice(0, 40)) // a short write: no newline at its end
  await journal.append({ type: 'queued', stage: 'write', task_id: 'a-1', continues: true })
  appendFileSync(path, '\n{"garbage": true}\n\n\u0000\u0000\n')
  const folded = await journal.append({ type: 'cancelled' })
  assert.equal(folded.state.stages[0]!.status, 'cancelled')
  assert.equal(folded.state.revision, 3)
  assert.equal(journal.skipped(), 3)
  const anew = openJournal(path)
  assert.deepEqual(anew.read(), folded)
  assert.equal(anew.skipped(), 3)
})

test('bytes behind the last newline are waited for, not judged', async (t) => {
  const path = join(await tempFolder(t), 'journal.ndjson')
  const journal = openJournal(path)
  await journal.append(CREATED)
  const next = encodeRecord({ at: '2026-01-01T00:00:00.000Z', type: 'cancelled' })
  appendFileSync(path, next.slice(0, 20))
  assert.equal(journal.read().state.revision, 1)
  appendFileSync(path, next.slice(20))
  assert.equal(journal.read().state.revision, 2)
  assert.equal(journal.skipped(), 0)
})

test('a journal that was replaced by a shorter one is read anew', async (t) => {
  const path = join(await tempFolder(t), 'journal.ndjson')
  const journal = openJournal(path)
  await journal.append(CREATED)
  const first = readFileSync(path, 'utf8')
  await journal.append({ type: 'cancelled' })
  writeFileSync(path, first)
  assert.equal(journal.read().state.revision, 1)
  assert.equal(journal.read().state.status, 'pending')
})

test('a missing journal is not found', () => {
  assert.throws(() => openJournal('/nowhere/journal.ndjson').read(), { code: 'not_found' })
})
