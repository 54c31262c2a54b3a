/** A log keeps its newest lines whole and in order, through rotation, full disks and sudden ends. */
import assert from 'node:assert/strict'
import fs, { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { RotatingFile } from '../../src/lib/rotating-file.ts'
import { segmentPaths } from '../../src/lib/segment.ts'
import { until, within } from '../../src/lib/until.ts'
import { tempFolder } from '../helpers/temp.ts'

async function openIn(t: TestContext, options: { maxBytes?: number; files?: number; maxWaitingBytes?: number } = {}) {
  const path = join(await tempFolder(t), 'logs', 'io-1.log')
  const faults: (string | null)[] = []
  const onFault = (error: Error | null) => void faults.push(error && (error as NodeJS.ErrnoException).code!)
  const make = () => new RotatingFile(path, { maxBytes: 100, files: 3, onFault, ...options })
  const lines = () =>
    segmentPaths(path, 9)
      .reverse()
      .flatMap((file) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []))
  return { path, faults, make, lines }
}

const LINE = 'line 00000\n'
const numbered = (n: number) => `line ${String(n).padStart(5, '0')}`

test('the newest lines stay, in order, and no file is longer than allowed', async (t) => {
  const { path, make, lines } = await openIn(t)
  const file = make()
  for (let n = 0; n < 1_000; n++) {
    assert.equal(file.append(`${numbered(n)}\n`), true)
    if (n % 7 === 0) await file.flush()
  }
  await file.close()
  const kept = lines()
  assert.ok(kept.length > 2 * Math.floor(100 / LINE.length), 'all three files are used')
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, i) => numbered(1_000 - kept.length + i)),
  )
  for (const segment of segmentPaths(path, 3)) assert.ok(statSync(segment).size <= 100)
  assert.equal(existsSync(segmentPaths(path, 4)[3]!), false)
})

test('an immediate end loses nothing and doubles nothing, also with a write under way', async (t) => {
  const { make, lines } = await openIn(t, { maxBytes: 10_000 })
  const file = make()
  for (let n = 0; n < 50; n++) file.append(`${numbered(n)}\n`)
  await setImmediate() // the write has begun and is not over
  for (let n = 50; n < 100; n++) file.append(`${numbered(n)}\n`)
  file.flushSync()
  const wanted = Array.from({ length: 100 }, (_, n) => numbered(n))
  assert.deepEqual(lines(), wanted)
  file.append(`${numbered(100)}\n`)
  await file.close()
  assert.deepEqual(lines(), [...wanted, numbered(100)], 'and it can go on')
})

test('an immediate end with a rotation in between', async (t) => {
  const { make, lines } = await openIn(t, { files: 30 })
  const file = make()
  for (let n = 0; n < 5; n++) file.append(`${numbered(n)}\n`)
  await setImmediate()
  for (let n = 5; n < 40; n++) file.append(`${numbered(n)}\n`)
  file.flushSync()
  await new Promise((resolve) => setTimeout(resolve, 50)) // whatever the other thread still does must do no harm
  assert.deepEqual(
    lines(),
    Array.from({ length: 40 }, (_, n) => numbered(n)),
  )
  await file.close() // nothing of it writes when the folder goes
})

test('what a crash has torn does not spoil the next line', async (t) => {
  const { path, make, lines } = await openIn(t)
  const first = make()
  first.append('whole\n')
  await first.close()
  appendFileSync(path, 'to')
  const second = make()
  second.append('next\n')
  await second.close()
  assert.deepEqual(lines(), ['whole', 'to', 'next'])
})

test('a full disk: one fault, lines are left out, and it goes on when there is room', async (t) => {
  const { path, faults, make, lines } = await openIn(t, { maxBytes: 1_000 })
  const file = make()
  file.append('first\n')
  await file.close()
  rmSync(path)
  symlinkSync('/dev/full', path)
  const full = make()
  for (const line of ['a\n', 'b\n']) {
    full.append(line)
    await full.flush()
  }
  assert.deepEqual(faults, ['ENOSPC'])
  assert.equal(full.append('c\n'), false, 'it is not tried at every line')
  rmSync(path)
  await until(() => full.append('d\n'), { timeoutMs: 20_000 })
  await full.close()
  assert.deepEqual([faults, lines()], [['ENOSPC', null], ['d']])
})

test('a disk that is too slow costs lines, not memory', async (t) => {
  const { make } = await openIn(t, { maxBytes: 1e6, maxWaitingBytes: 1_000 })
  const file = make()
  const taken = Array.from({ length: 1_000 }, () => file.append(LINE)).filter(Boolean).length
  assert.ok(taken >= 90 && taken < 110, `${taken} lines wait`)
  await file.flush()
  assert.equal(file.append(LINE), true)
  await file.close()
  assert.equal(file.append(LINE), false)
})

test('a flush ends under output that never ends, and what was taken before it is on disk', async (t) => {
  const { path, make } = await openIn(t, { maxBytes: 1e9 })
  const file = make()
  let isOver = false
  const flood = (async () => {
    for (const block = LINE.repeat(2_000); !isOver; await setImmediate()) file.append(block)
  })()
  t.after(() => flood)
  try {
    await until(() => existsSync(path), { timeoutMs: 5_000 })
    const isTaken = () => file.append('mark\n') // a slow disk leaves lines out
    await until(isTaken, { timeoutMs: 5_000, everyMs: 1 })
    assert.equal(await within(file.flush(), 20_000, 'late'), undefined)
    assert.ok(readFileSync(path, 'utf8').includes('\nmark\n'))
  } finally {
    isOver = true
  }
  await flood
  await file.close()
})

test('a disk that takes only a part at a time gets the rest too, when there is no time for other turns', async (t) => {
  const { make, lines } = await openIn(t, { maxBytes: 10_000 })
  const { writeSync } = fs
  const partly = (...[fd, data, from, length, at]: [number, Buffer, number, number, number]) =>
    writeSync(fd, data, from, Math.min(length, 7), at)
  t.mock.method(fs, 'writeSync', partly as never)
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  const file = make()
  for (let n = 0; n < 20; n++) file.append(`${numbered(n)}\n`)
  await setImmediate() // this write is under way, and repeated
  for (let n = 20; n < 40; n++) file.append(`${numbered(n)}\n`)
  file.flushSync()
  await file.close()
  assert.deepEqual(
    lines(),
    Array.from({ length: 40 }, (_, n) => numbered(n)),
  )
})

test('a folder that is taken away comes back', async (t) => {
  const { path, make, lines } = await openIn(t, { maxBytes: 20 })
  const file = make()
  file.append(LINE)
  await file.flush()
  rmSync(join(path, '..'), { recursive: true })
  file.append(LINE)
  file.append(LINE)
  await file.close()
  mkdirSync(join(path, '..'), { recursive: true })
  assert.equal(lines().length, 2)
})
