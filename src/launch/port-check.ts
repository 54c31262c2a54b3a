/** Finds out that the port is taken before anything else is started. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { AppError, errnoOf, messageOf } from '../lib/errors.ts'
import { ownerOfPort } from '../lib/process-tree.ts'

/** Throws `conflict` with the owner's name where it can be told, `settings` when the address cannot be had at all. */
export async function assertPortFree(host: string, port: number): Promise<void> {
  if (port === 0) return
  const server = createServer()
  try {
    server.listen({ host, port })
    await once(server, 'listening')
  } catch (error) {
    throw portError(error, host, port)
  } finally {
    server.close()
  }
}

function portError(error: unknown, host: string, port: number): AppError {
  if (errnoOf(error) !== 'EADDRINUSE')
    return new AppError('settings', `Cannot listen on ${host}:${port}: ${messageOf(error)} (settings HOST, PORT)`, {
      cause: error,
    })
  const owner = ownerOfPort(port)
  return new AppError(
    'conflict',
    `Port ${port} is taken${owner ? ` by ${owner}` : ''}; choose another with PORT=… or --port`,
    {
      cause: error,
    },
  )
}
