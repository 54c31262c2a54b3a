/** Asks the server, and the disk when there is none. */
import { AppError } from '../lib/errors.ts'
import type { Connection } from './connection.ts'
import type { VerbContext } from './verb.ts'

type Ways<T> = { online: (connection: Connection) => Promise<T>; offline: () => Promise<T> }

/** Only an absent server sends us to the disk: one that refuses has a reason. */
export async function onlineOr<T>(context: VerbContext, { online, offline }: Ways<T>): Promise<T> {
  try {
    return await online(await context.connect())
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'unavailable') throw error
    context.out.say('No server runs; this is what the disk says.')
    return offline()
  }
}
