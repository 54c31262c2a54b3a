/** Run after every change of a dependency: makes package-lock.json fit for all platforms again. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { completeLock, type Lock } from './lock/complete-lock.ts'

const path = join(import.meta.dirname, '../package-lock.json')
const lock = JSON.parse(readFileSync(path, 'utf8')) as Lock
const added = completeLock(lock)
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
console.log(added.length === 0 ? 'Complete.' : `Added: ${added.join(', ')}`)
