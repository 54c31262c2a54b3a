/** A log whose reader goes away stays quiet instead of failing whoever logs. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { untilGone } from '../helpers/processes.ts'

const LOG = join(import.meta.dirname, '../../src/lib/log.ts')

/** Logs ten times a second, and notes on the disk how that went. */
function program(notes: string): string {
  return `
    import { appendFileSync } from 'node:fs'
    import { createLog } from ${JSON.stringify(LOG)}
    process.on('SIGHUP', () => {})
    const log = createLog('x', 'info')
    const note = (text) => appendFileSync(${JSON.stringify(notes)}, text + '\\n')
    setInterval(() => {
      try { log.info({}, 'a line'); note('ok') } catch (error) { note(error.code) }
    }, 100)`
}

test('after the terminal has been closed (EIO) logging goes on in silence', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'showrunner-log-'))
  t.after(async () => {
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
    process.kill(pid, 'SIGKILL')
    await untilGone([pid]) // until then it writes there
    rmSync(folder, { recursive: true, force: true })
  })
  const [notes, file] = [join(folder, 'notes'), join(folder, 'program.mts')]
  writeFileSync(file, program(notes))
  const read = () => (existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : [])
  const command = `echo $$ > ${folder}/pid; exec ${process.execPath} --disable-warning=ExperimentalWarning ${file}`
  const terminal = spawn('script', ['-qfec', command, '/dev/null'], { stdio: ['pipe', 'ignore', 'ignore'] })
  await until(() => read().length > 1, { timeoutMs: 30_000, what: 'the first lines' })
  terminal.kill('SIGKILL')
  const before = read().length
  await until(() => read().length > before + 5, { timeoutMs: 30_000, what: 'lines after the end of the terminal' })
  assert.deepEqual([...new Set(read())], ['ok'])
})
