#!/usr/bin/env node
// The `showrunner` command. Plain JavaScript, so that even an old Node can say what is wrong.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const node = findNode()

if (node === undefined) {
  console.error(
    `Showrunner needs Node 24.9 or newer; this is ${process.versions.node}, and ${root} has none of its own.\n` +
      'Set it up with: sh scripts/setup.sh',
  )
  process.exit(69)
}

const [verb, ...rest] = process.argv.slice(2)
const program = verb === 'start' ? ['src/main.ts', ...rest] : ['src/cli.ts', ...process.argv.slice(2)]
const args = ['--disable-warning=ExperimentalWarning', join(root, program[0]), ...program.slice(1)]
// By this the server notices the end of this process, should that be killed.
const env = { ...process.env, SHOWRUNNER_LAUNCHER_PID: String(process.pid) }
const child = spawn(node, args, { stdio: 'inherit', env })
// The command decides what a signal means; this process only passes it on, and its answer back.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) process.on(signal, () => child.kill(signal))
child.once('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))

/** The Node that came with the packages, else this one when it is recent enough. */
function findNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const file = process.platform === 'win32' ? 'node.exe' : 'node'
  const bundled = join(root, 'node_modules', `node-${platform}-${process.arch}`, 'bin', file)
  if (existsSync(bundled)) return bundled
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > 24 || (major === 24 && minor >= 9) ? process.execPath : undefined
}
