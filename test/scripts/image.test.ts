/** The Dockerfile: what it copies and starts exists, it runs as nobody special, and its health check asks the program. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { health } from '../../src/cli/health.ts'
import { SETTINGS } from '../../src/config/table.ts'

const NAMES = /^(FROM|WORKDIR|COPY|RUN|USER|ENV|EXPOSE|VOLUME|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD)$/
const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const instructions = parse(read('scripts/Dockerfile'))
const all = (name: string) => instructions.filter((i) => i.name === name).map((i) => i.rest)
const last = (name: string) => all(name).at(-1) ?? ''

/** One instruction a line, continued lines joined, comments left out. */
function parse(text: string): { name: string; rest: string }[] {
  const lines = text.replaceAll(/\\\n/g, ' ').split('\n')
  return lines
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? []
      assert.match(name, NAMES, `no instruction: ${line}`)
      return { name, rest }
    })
}

/** What is copied out of the repository; `--from` copies out of another stage. */
const copied = all('COPY')
  .filter((rest) => !rest.startsWith('--'))
  .flatMap((rest) => rest.split(' ').slice(0, -1))

test('all that it copies exists, and is let through by its .dockerignore', () => {
  const ignore = read('scripts/Dockerfile.dockerignore').split('\n')
  assert.ok(ignore.includes('*'), 'data, settings and packages of this machine stay out')
  for (const path of copied) {
    assert.ok(existsSync(join(ROOT, path)), path)
    assert.ok(ignore.includes(`!${path}`), `${path} is ignored`)
  }
  const kept = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  assert.deepEqual(kept.toSorted(), [...new Set(copied)].toSorted(), 'nothing more than what is copied')
})

test('it starts what npm start starts, under an init, with the Node that comes with the packages', () => {
  const [init, dashes, node, ...args] = JSON.parse(last('ENTRYPOINT')) as string[]
  const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } }
  assert.deepEqual([init, dashes], ['tini', '--'])
  assert.equal(`exec node ${args.join(' ')}`, scripts.start)
  assert.ok(existsSync(join(ROOT, node!)), node)
  const start = instructions.findLastIndex((i) => i.name === 'FROM')
  const packages = instructions.slice(start).filter((i) => i.rest.includes('apt-get install'))
  for (const name of ['redis-server', 'ffmpeg', 'espeak-ng', 'tini'])
    assert.ok(
      packages.some((i) => new RegExp(`\\b${name}\\b`).test(i.rest)),
      name,
    )
})

test('it does not run as root, and the folder of its data is a volume that its user owns', () => {
  const user = last('USER')
  const home = Object.fromEntries(
    last('ENV')
      .split(' ')
      .map((pair) => pair.split('=')),
  )
  assert.notEqual(user, 'root')
  assert.equal(last('VOLUME'), home.DATA_DIR)
  const making = all('RUN').find((rest) => rest.includes('useradd'))
  assert.match(making ?? '', new RegExp(`install -d -o ${user} .*${home.DATA_DIR}\\b`))
  const known = [...Object.keys(SETTINGS), 'NODE_COMPILE_CACHE']
  assert.deepEqual(
    Object.keys(home).filter((name) => !known.includes(name)),
    [],
  )
})

test('its health check asks the program in less time than Docker gives it; SIGTERM is what stops it', () => {
  const [, options, command] = /^(.*?) CMD (\[.*\])$/.exec(last('HEALTHCHECK').replaceAll(/\s+/g, ' ')) ?? []
  const [node, , file, verb] = JSON.parse(command ?? '[]') as string[]
  assert.ok(existsSync(join(ROOT, node!)) && existsSync(join(ROOT, file!)))
  assert.equal(verb, health.usage)
  assert.ok(Number(/--timeout=(\d+)s/.exec(options ?? '')?.[1]) > health.timeoutS!)
  assert.equal(last('STOPSIGNAL'), 'SIGTERM')
})
