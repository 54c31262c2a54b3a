/** The tables for people say what the code says. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cliTable, errorTable, exampleEnv, queueTable, settingsTable, withTables } from '../../scripts/docs/tables.ts'
import { SETTING_NAMES } from '../../src/config/table.ts'
import { loadConfig } from '../../src/config.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

test('the tables of README.md equal the code: else run npm run docs', () => {
  const readme = read('README.md')
  const tables = { cli: cliTable(), settings: settingsTable(), queues: queueTable(), errors: errorTable() }
  assert.equal(readme, withTables(readme, tables))
  for (const name of SETTING_NAMES) assert.ok(readme.includes(`| \`${name}\` |`), name)
})

test('.env.example equals the code, and sets what is set anyway', () => {
  const example = read('.env.example')
  assert.equal(example, exampleEnv())
  const uncommented = example.replaceAll(/^# ([A-Z_]+=)/gm, '$1')
  const lines = uncommented.split('\n').filter((line) => /^[A-Z_]+=./.test(line))
  const env = Object.fromEntries(lines.map((line) => [line.split('=')[0], line.replace(/^[^=]+=("?)(.*)\1$/, '$2')]))
  const [given, standard] = [loadConfig({ env, cwd: ROOT }), loadConfig({ env: {}, cwd: ROOT })]
  assert.deepEqual({ ...given, redis: { ...given.redis, portExplicit: false } }, standard)
})

test('a text without its pair of marks is refused', () => {
  assert.throws(() => withTables('<!-- /a --><!-- a -->', { a: '' }), /is missing/)
  assert.equal(withTables('x <!-- a -->old<!-- /a --> y', { a: 'new' }), 'x <!-- a -->\nnew\n<!-- /a --> y')
})

test('continuous integration runs the very line that README.md gives', () => {
  const lines = [...read('README.md').matchAll(/^```sh\n(sh scripts\/setup\.sh.*)\n```$/gm)].map((match) => match[1])
  assert.deepEqual(lines, ['sh scripts/setup.sh && npm start', 'sh scripts/setup.sh --test && npm test'])
  const commands = read('.ci/run')
    .split('\n')
    .filter((line) => !/^(#|set |cd |$)/.test(line))
  assert.deepEqual(commands, [`(${lines[1]})`, 'npm run check'])
})
