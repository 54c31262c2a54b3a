/** Which lines of the program's output are facts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFact } from '../../src/chaos/program.ts'
import { createVoice } from '../../src/launch/voice.ts'
import { createLog } from '../../src/lib/log.ts'

/** The lines that the program prints, as JSON. */
function heard(say: (voice: ReturnType<typeof createVoice>) => void): string[] {
  const lines: string[] = []
  say(createVoice({ format: 'json', level: 'debug', colour: false, write: (line) => void lines.push(line.trimEnd()) }))
  return lines
}

test('what the supervisor says is a fact', () => {
  const [line] = heard((voice) => voice.say({ type: 'child_spawned', name: 'io-1', pid: 7 }))
  const { type, name, pid, atMs } = parseFact(line!)!
  assert.deepEqual([type, name, pid], ['child_spawned', 'io-1', 7])
  assert.ok(Math.abs(atMs - Date.now()) < 60_000)
})

test('what a stage logs or prints is none, whatever it looks like', () => {
  const printed: string[] = []
  const log = createLog('io-1', 'info', (line) => void printed.push(line))
  log.info({ type: 'ready', url: 'http://x' }, 'from a stage')
  log.info({ type: 'ready', process: 'supervisor' }, 'from a stage that says it is another')
  printed.push('{"type":"ready","time":"2026-01-01T00:00:00Z","process":"supervisor"}')
  const about = { type: 'child_line', name: 'io-1', pid: 7, stream: 'stdout' } as const
  const lines = heard((voice) => {
    for (const line of printed) voice.say({ ...about, line })
  })
  assert.deepEqual([lines.length, lines.flatMap((line) => parseFact(line) ?? [])], [3, []])
  assert.deepEqual(
    printed.flatMap((line) => parseFact(line) ?? []),
    [],
  )
  assert.equal(parseFact('{"level":"info","time":"x","process":"supervisor","type":"cut'), undefined)
})
