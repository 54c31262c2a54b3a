/** A Redis for references and for instances that attach to it, configured as our own one is. */
import { findRedisBinary } from '../../src/redis/binary.ts'
import { prepareOwnRedis } from '../../src/redis/spawn.ts'
import { type Program, startProgram } from './program.ts'

export type BenchRedis = { url: string; program: Program; [Symbol.asyncDispose](): Promise<void> }

export async function startRedis(folder: string, signal: AbortSignal): Promise<BenchRedis> {
  const binary = await findRedisBinary({ onProgress() {}, signal })
  const { spec, place } = await prepareOwnRedis({ binary, dataDir: folder, port: null, env: {} })
  const program = startProgram(spec.command.file, spec.command.args)
  try {
    if (typeof spec.ready === 'function') await spec.ready(signal)
  } catch (error) {
    await program[Symbol.asyncDispose]()
    throw error
  }
  return { url: place.url, program, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() }
}
