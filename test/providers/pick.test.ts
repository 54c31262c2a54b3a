/** Choosing providers is cheap and says what is missing. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { createProviders, describeProviders, missingPrograms } from '../../src/providers/pick.ts'
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

test('describes the models that are set, and only when a server for them is known', async () => {
  const openai = {
    apiKey: null,
    baseUrl: 'http://localhost:11434/v1',
    textModel: 'llama',
    imageModel: null,
    speechModel: null,
    transcribeModel: null,
  }
  const facts = await describeProviders({ ...PLAIN_OPTIONS, openai })
  assert.deepEqual(facts.models, { provider: 'ollama', where: 'localhost:11434', names: ['llama'] })
  assert.equal(facts.text, 'llama')
  const unreachable = await describeProviders({ ...PLAIN_OPTIONS, openai: { ...openai, baseUrl: null } })
  assert.deepEqual([unreachable.models, unreachable.text], [null, 'builtin'])
})

test('a configured model takes the place of what is built in, the others stay', () => {
  const openai = {
    apiKey: 'k',
    baseUrl: null,
    textModel: 'm',
    imageModel: null,
    speechModel: null,
    transcribeModel: null,
  }
  const plain = createProviders(PLAIN_OPTIONS)
  const { text, transcribe } = createProviders({ ...PLAIN_OPTIONS, openai })
  assert.deepEqual([plain.text, plain.transcribe, transcribe], [null, null, null])
  assert.deepEqual([text?.provider, text?.model], ['openai', 'm'])
  assert.equal(createProviders({ ...PLAIN_OPTIONS, openai: { ...openai, apiKey: null } }).text, null)
})

test('loads neither the picture library nor the language model nor a client', async () => {
  const url = join(import.meta.dirname, '../../src/providers/pick.ts')
  const code = `const { registerHooks } = await import('node:module')
    const heavy = []
    const load = (file, context, next) => {
      if (/node_modules.(sharp|compromise|openai|zod)./.test(file)) heavy.push(file)
      return next(file, context)
    }
    registerHooks({ load })
    const { createProviders } = await import('${url}')
    const openai = { apiKey: 'k', baseUrl: null, textModel: 'm', imageModel: 'm', speechModel: 'm', transcribeModel: 'm' }
    createProviders({ ffmpegPath: null, ffprobePath: null, fontDir: null, nice: 0, openai })
    const before = heavy.length
    await import('openai')
    const running = process.getActiveResourcesInfo().filter((r) => r === 'ProcessWrap').length
    console.log(before, running, heavy.some((file) => file.includes('openai')))`
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', code]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  assert.equal(stdout.trim(), '0 0 true')
})
