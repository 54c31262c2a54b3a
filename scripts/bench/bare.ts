/** Starts the raw references: programs that do the same with the same modules and nothing of ours. */
import { fileURLToPath } from 'node:url'
import { type Program, startNode } from './program.ts'

/** What the supervisor with its API loads from others. */
export const API_MODULES = ['hono', '@hono/node-server', '@hono/zod-openapi', 'zod', 'bullmq', 'ioredis', 'pino']

export async function startImports(modules: readonly string[], env: Record<string, string> = {}): Promise<Program> {
  return ready(startNode(fileURLToPath(new URL('./bare/imports.ts', import.meta.url)), modules, { env }))
}

export async function startSupervisor(binary: string, config: string): Promise<Program> {
  return ready(startNode(fileURLToPath(new URL('./bare/supervisor.ts', import.meta.url)), [binary, config]))
}

export type BareServer = { url: string; program: Program }

/** Serves the JSON of that file. */
export async function startServer(file: string): Promise<BareServer> {
  const program = startNode(fileURLToPath(new URL('./bare/server.ts', import.meta.url)), [file])
  const port = await orEnd(
    program,
    program.waitFor((line) => (JSON.parse(line) as { port?: number }).port),
  )
  return { url: `http://127.0.0.1:${port}`, program }
}

export type Workers = { url: string; concurrency: number; queues: readonly string[] }

export async function startWorkers({ url, concurrency, queues }: Workers): Promise<Program> {
  const args = [url, String(concurrency), ...queues]
  return ready(startNode(fileURLToPath(new URL('./bare/worker.ts', import.meta.url)), args))
}

/** A line of the bare worker. */
export type BareRun = { id: string; token: string; chain: string; left: number; at: number }

export function parseRun(line: string): BareRun | undefined {
  return line.startsWith('{') ? (JSON.parse(line) as BareRun) : undefined
}

async function ready(program: Program): Promise<Program> {
  await orEnd(
    program,
    program.waitFor((line) => line === 'ready' || undefined),
  )
  return program
}

async function orEnd<T>(program: Program, promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    await program[Symbol.asyncDispose]()
    throw error
  }
}
