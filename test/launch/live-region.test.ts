/** Lines that are rewritten in place, on a terminal that knows just what they need. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLiveRegion } from '../../src/launch/live-region.ts'
import { createScreen } from '../helpers/screen.ts'

function open(columns = () => 80) {
  const screen = createScreen()
  let written = ''
  const write = (text: string) => {
    written += text
    screen.write(text)
  }
  return { ...createLiveRegion({ write, columns }), lines: screen.lines, written: () => written }
}

test('lines are replaced where they stand, and what else is written goes by above them', () => {
  const region = open()
  region.write('ready\n')
  region.show(['io 3 s', 'media 3 s'])
  region.show(['io 4 s', 'media 4 s'])
  assert.deepEqual(region.lines(), ['ready', 'io 4 s', 'media 4 s'])
  region.write('io stopped\n')
  assert.deepEqual(region.lines(), ['ready', 'io stopped', 'io 4 s', 'media 4 s'])
  region.show(['media 5 s'])
  assert.deepEqual(region.lines(), ['ready', 'io stopped', 'media 5 s'])
})

test('at the end nothing of it is left, and long lines break again', () => {
  const region = open()
  region.show(['one', 'two'])
  region.show([])
  region.write('stopped\n')
  assert.deepEqual(region.lines(), ['stopped'])
  assert.ok(region.written().includes('\x1b[?7l'))
  assert.ok(region.written().lastIndexOf('\x1b[?7h') > region.written().lastIndexOf('\x1b[?7l'))
})

test('without a region the output is what was written, to the byte', () => {
  const region = open()
  region.show([])
  region.write('a\nb\n')
  region.show([])
  assert.equal(region.written(), 'a\nb\n')
})

test('what was typed over it, such as ^C, goes with it', () => {
  const region = open()
  region.show(['one'])
  region.write('') // the terminal echoes where the cursor stands: below the region
  const screen = createScreen()
  screen.write(`${region.written()}^C`)
  const before = region.written().length
  region.show(['two'])
  screen.write(region.written().slice(before))
  assert.deepEqual(screen.lines(), ['two'])
})

test('a terminal that has become half as wide shows the old lines in two rows each: all are taken away', () => {
  let columns = 20
  const region = open(() => columns)
  region.show(['x'.repeat(18)])
  const before = region.written().length
  columns = 10
  region.show([])
  assert.equal(region.written().slice(before), '\r\x1b[2A\x1b[J')
})

test('after Ctrl+Z the old lines belong to the shell', () => {
  const region = open()
  region.show(['one'])
  region.forget()
  region.show(['two'])
  assert.deepEqual(region.lines(), ['one', 'two'])
})
