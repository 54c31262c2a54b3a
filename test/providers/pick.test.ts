/** Choosing providers is cheap and says what is missing. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { describeProviders, missingPrograms } from '../../src/providers/pick.ts'
import { PLAIN_OPTIONS } from '../helpers/stage-context.ts'

test('describes what this machine has', async () => {
  const facts = await describeProviders(PLAIN_OPTIONS)
  assert.ok('path' in facts.ffmpeg && facts.ffmpeg.path.endsWith('/ffmpeg'))
  assert.equal(facts.text, 'builtin')
})

test('describes and names what is missing, with the command that installs it', async () => {
  const options = { ...PLAIN_OPTIONS, ffmpegPath: '/nowhere/ffmpeg' }
  const { ffmpeg } = await describeProviders(options)
  assert.ok('missing' in ffmpeg && ffmpeg.hint.includes('ffmpeg'))
  const missing = await missingPrograms(['ffmpeg', 'ffprobe', 'sh'], options)
  assert.deepEqual(
    missing.map(({ program }) => program),
    ['ffmpeg'],
  )
  assert.deepEqual(await missingPrograms(['ffmpeg', 'ffprobe']), [])
})

test('loads neither the picture library nor the language model', async () => {
  const url = join(import.meta.dirname, '../../src/providers/pick.ts')
  const code = `const { createProviders } = await import('${url}')
    createProviders({ ffmpegPath: null, ffprobePath: null, fontDir: null, nice: 0 })
    const { createRequire } = await import('node:module')
    console.log(Object.keys(createRequire('${url}').cache).filter((f) => /sharp|compromise/.test(f)).length, process.getActiveResourcesInfo().filter((r) => r === 'ProcessWrap').length)`
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', code]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  assert.equal(stdout.trim(), '0 0')
})
