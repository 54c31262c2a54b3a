/** An ffmpeg that notes how it was called and keeps its inputs, so that the same commands can be run again by hand. */
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type Command = { args: string[]; cwd: string; env: Record<string, string> }

export type Recorder = {
  /** For FFMPEG_PATH. */
  readonly program: string
  /** In the order in which they were started. */
  commands(): Promise<Command[]>
  /** Puts the inputs back where the commands look for them: stages remove their work folders. */
  restore(cwd: string): Promise<void>
}

export async function createRecorder(folder: string, ffmpeg: string): Promise<Recorder> {
  const [program, calls, inputs] = [join(folder, 'ffmpeg.sh'), join(folder, 'calls'), join(folder, 'inputs')]
  await Promise.all([calls, inputs].map((path) => mkdir(path, { recursive: true })))
  await writeFile(program, script({ ffmpeg, calls, inputs }), { mode: 0o755 })
  return {
    program,
    async commands() {
      const names = (await readdir(calls)).sort()
      return Promise.all(names.map((name) => readCommand(join(calls, name))))
    },
    restore: (cwd) => cp(inputs, cwd, { recursive: true, verbatimSymlinks: true }),
  }
}

/** Questions about the build pass unnoted. Copying takes some ten milliseconds, which count as ours. */
function script({ ffmpeg, calls, inputs }: { ffmpeg: string; calls: string; inputs: string }): string {
  return `#!/bin/sh
case " $* " in *" -i "*) ;; *) exec '${ffmpeg}' "$@" ;; esac
call=$(mktemp -d '${calls}'/"$(date +%s.%N)"-XXXXXX)
pwd > "$call/cwd"
printf '%s' "$FONTCONFIG_FILE" > "$call/fonts"
printf '%s\\0' "$@" > "$call/args"
cp -a -u . '${inputs}'
exec '${ffmpeg}' "$@"
`
}

async function readCommand(call: string): Promise<Command> {
  const [args, cwd, fonts] = await Promise.all(
    ['args', 'cwd', 'fonts'].map((name) => readFile(join(call, name), 'utf8')),
  )
  return {
    args: args!.split('\0').slice(0, -1),
    cwd: cwd!.trimEnd(),
    env: fonts === '' ? {} : { FONTCONFIG_FILE: fonts! },
  }
}
