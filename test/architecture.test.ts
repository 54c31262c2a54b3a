/** The rules that no compiler checks: layers, and what only certain files may do. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')

/** A file imports its own part or strictly lower rows; type imports count. */
const ROWS = [
  ['lib'],
  ['config', 'supervisor', 'project', 'providers'],
  ['redis'],
  ['stream'],
  ['pipelines'],
  ['queue'],
  ['api'],
  ['client'],
  ['chaos'],
  ['web', 'entry'],
]
const CONFIG = ['config.ts', 'settings.ts', 'flags.ts', 'child-env.ts', 'preload.ts']
const ENTRY = ['main.ts', 'boot.ts', 'children.ts', 'worker.ts', 'scheduler.ts', 'cli.ts']
/** Programs of their own: they may end their process. */
const PROGRAMS = /^(main|worker|scheduler|cli|preload)\.ts$|-child\.ts$/
/** A stage that misbehaves on purpose, in a worker that is there to be hurt. */
const MISDEEDS = 'chaos/pipelines/wild.ts'
const ENVIRONMENT: Record<string, string> = {
  'config.ts': 'the one reader',
  'child-env.ts': 'the three variables of a child',
  'lib/exec.ts': 'hands the whole of it to a program, reads nothing',
}

type Import = { from: string; to: string; isType: boolean }

const files = globSync('**/*.{ts,tsx}', { cwd: join(ROOT, 'src') })
  .filter((file) => !file.includes('dist/'))
  .sort()
const sources = new Map(files.map((file) => [file, readFileSync(join(ROOT, 'src', file), 'utf8')]))
const imports = files.flatMap((file) => importsOf(file, sources.get(file)!))
const relative = imports.filter(({ to }) => files.includes(to))

test('every file belongs to a row', () => {
  assert.deepEqual(
    files.filter((file) => rowOf(file) === -1),
    [],
  )
})

test('a file imports its own part or strictly lower rows', () => {
  assert.ok(relative.length > 20, 'imports are found at all')
  const breaches = relative.filter(({ from, to }) => partOf(from) !== partOf(to) && rowOf(to) >= rowOf(from))
  assert.deepEqual(breaches.map(worded), [])
})

test('the client knows stream and api by their types only, the dashboard only the client', () => {
  const values = relative.filter(({ isType }) => !isType)
  const ofClient = values.filter(({ from, to }) => partOf(from) === 'client' && ['api', 'stream'].includes(partOf(to)))
  const ofWeb = values.filter(({ from, to }) => partOf(from) === 'web' && !['web', 'client'].includes(partOf(to)))
  assert.deepEqual([...ofClient, ...ofWeb].map(worded), [])
})

test('no circle of imports', () => {
  assert.deepEqual(
    circleIn([
      { from: 'a', to: 'b', isType: false },
      { from: 'b', to: 'a', isType: true },
    ]),
    ['a', 'b', 'a'],
  )
  assert.equal(circleIn(relative)?.join(' → '), undefined)
})

test('BullMQ lives under queue, Hono under api', () => {
  const breaches = imports.filter(({ from, to }) => {
    if (/^bullmq($|\/)/.test(to)) return partOf(from) !== 'queue'
    return /^@?hono($|\/)/.test(to) && partOf(from) !== 'api'
  })
  assert.deepEqual(breaches.map(worded), [])
})

test('only config.ts reads the environment', () => {
  const readers = filesWith(/\bprocess\.env\b|from 'node:process'|loadEnvFile/)
  assert.deepEqual(
    readers.filter((file) => !(file in ENVIRONMENT) && partOf(file) !== 'web'),
    [],
  )
})

test('only programs end their process', () => {
  assert.deepEqual(
    filesWith(/\bprocess\.(exit|abort|reallyExit)\(/).filter((file) => !PROGRAMS.test(file) && file !== MISDEEDS),
    [],
  )
})

test('a file has at most 250 lines, and its first one says why it exists', () => {
  const long = [...sources].filter(([, text]) => text.trimEnd().split('\n').length > 250).map(([file]) => file)
  const silent = [...sources].filter(([, text]) => !/^(#!.*\n)?\/\*\* ?\S/.test(text) && !/^\/\*\*\n \* \S/.test(text))
  assert.deepEqual({ long, silent: silent.map(([file]) => file) }, { long: [], silent: [] })
})

test('importing does no work: nothing is printed, nothing keeps the process alive', () => {
  const isLibrary = (file: string) => partOf(file) !== 'web' && !PROGRAMS.test(file)
  const urls = files.filter(isLibrary).map((file) => join(ROOT, 'src', file))
  const input = `for (const url of ${JSON.stringify(urls)}) await import(url)`
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-']
  const child = spawnSync(process.execPath, args, { cwd: ROOT, input, encoding: 'utf8', timeout: 120_000 })
  assert.deepEqual([child.status, child.signal, child.stdout, child.stderr], [0, null, '', ''])
})

function partOf(file: string): string {
  if (CONFIG.includes(file)) return 'config'
  if (ENTRY.includes(file) || /^(cli|launch)\//.test(file)) return 'entry'
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : file
}

function rowOf(file: string): number {
  return ROWS.findIndex((row) => row.includes(partOf(file)))
}

function filesWith(pattern: RegExp): string[] {
  return [...sources].filter(([, text]) => pattern.test(withoutComments(text))).map(([file]) => file)
}

function importsOf(file: string, text: string): Import[] {
  const pattern = /\b(?:import|export)\s+(type\s)?[^'"()]*?from\s*'([^']+)'|\bimport\s*\(?\s*'([^']+)'/g
  return [...withoutComments(text).matchAll(pattern)].map((match) => {
    const target = match[2] ?? match[3] ?? ''
    const to = target.startsWith('.') ? join(dirname(file), target) : target
    return { from: file, to, isType: match[1] !== undefined }
  })
}

function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\*[\s\S]*?\*\/|\/\/.*)/gm, '')
}

function worded({ from, to }: Import): string {
  return `${from} imports ${to}`
}

/** The first circle found, as a path that ends where it began. */
function circleIn(edges: Import[]): string[] | undefined {
  const targets = Map.groupBy(edges, (edge) => edge.from)
  const done = new Set<string>()
  const visit = (file: string, path: string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const edge of targets.get(file) ?? []) {
      const circle = visit(edge.to, [...path, file])
      if (circle) return circle
    }
    done.add(file)
    return undefined
  }
  for (const file of targets.keys()) {
    const circle = visit(file, [])
    if (circle) return circle
  }
  return undefined
}
