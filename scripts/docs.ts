/** Writes the tables of README.md and .env.example from the tables in the code; `--check` only compares. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cliTable, errorTable, exampleEnv, queueTable, settingsTable, withTables } from './docs/tables.ts'

const ROOT = join(import.meta.dirname, '..')
const readme = join(ROOT, 'README.md')

const tables = { cli: cliTable(), settings: settingsTable(), queues: queueTable(), errors: errorTable() }
const wanted = new Map([
  [readme, withTables(readFileSync(readme, 'utf8'), tables)],
  [join(ROOT, '.env.example'), exampleEnv()],
])

for (const [path, text] of wanted) {
  if (!process.argv.includes('--check')) writeFileSync(path, text)
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`${path} is behind the code: run npm run docs`)
    process.exitCode = 1
  }
}
