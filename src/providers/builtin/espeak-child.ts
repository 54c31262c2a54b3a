/**
 * Entry of a child that acts as `espeak-ng` where the program is not installed: it runs the WebAssembly
 * build of the optional npm package `espeak-ng`. A process of its own keeps that GPL program apart from ours.
 */
import { readFileSync, writeFileSync } from 'node:fs'

type EspeakModule = { FS: { writeFile(path: string, data: Uint8Array): void; readFile(path: string): Uint8Array } }
type EspeakOptions = {
  arguments: string[]
  preRun: ((module: EspeakModule) => void)[]
  print(line: string): void
  printErr(line: string): void
  quit(code: number): void
}

const args = process.argv.slice(2)
const outAt = args.indexOf('-w') + 1
const outPath = outAt > 0 ? args[outAt] : undefined

// WebAssembly sees files of its own: text goes in and sound comes out under plain names.
const inside = args.flatMap((arg, i) =>
  arg === '--stdin' ? ['-f', 'in.txt'] : i === outAt && outPath ? ['out.wav'] : [arg],
)
const text = args.includes('--stdin') ? readFileSync(0) : new Uint8Array()
const name: string = 'espeak-ng' // a variable, because the package is optional and need not be there to type-check
const { default: load } = (await import(name)) as { default: (options: EspeakOptions) => Promise<EspeakModule> }

/** The first one counts: unwinding the WebAssembly stack calls `quit` again with 1. */
let exitCode: number | undefined
const errors: string[] = []
const espeak = await load({
  arguments: inside,
  preRun: [(module) => module.FS.writeFile('in.txt', text)],
  print: (line) => process.stdout.write(`${line}\n`),
  printErr: (line) => errors.push(line),
  quit: (code) => {
    exitCode ??= code
  },
})
if (exitCode) {
  process.stderr.write(`${errors[0] ?? 'espeak-ng failed'}\n`)
  process.exit(exitCode)
}
if (outPath) writeFileSync(outPath, espeak.FS.readFile('out.wav'))
