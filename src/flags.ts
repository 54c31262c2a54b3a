/** The flags of `npm start -- …`. Node's own parser: booting must not wait for a command-line library. */
import { parseArgs } from 'node:util'
import { AppError, messageOf } from './lib/errors.ts'

export type Flags = {
  host?: string
  port?: string
  dataDir?: string
  newToken: boolean
  json: boolean
  help: boolean
  version: boolean
}

export const USAGE = `Usage: npm start -- [flags]

  --host <address>    where to listen (setting HOST)
  --port <number>     0 picks a free port (setting PORT)
  --data-dir <folder> everything that is kept (setting DATA_DIR)
  --new-token         make an operator token, store it, and print a login link
  --json              print one JSON object per line
  --help, --version

Flags win over the environment, .env.local and .env. All settings are in README.md.
Exit codes: 0 ok, 1 failed, 2 usage or settings, 5 port taken, 69 something needed is missing, 130/143 stopped.
`

/** `argv` without the program's own two entries. Throws `settings` for an unknown flag or a missing value. */
export function parseFlags(argv: readonly string[]): Flags {
  const { values } = parse(argv)
  return {
    host: values.host,
    port: values.port,
    dataDir: values['data-dir'],
    newToken: values['new-token'] ?? false,
    json: values.json ?? false,
    help: values.help ?? false,
    version: values.version ?? false,
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        host: { type: 'string' },
        port: { type: 'string', short: 'p' },
        'data-dir': { type: 'string' },
        'new-token': { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    })
  } catch (error) {
    throw new AppError('settings', `${messageOf(error)}\nSee npm start -- --help`, { cause: error })
  }
}
