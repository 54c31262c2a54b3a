/** The app with fake dependencies on a real, free port; call with `await using`. */
import { type ApiServer, type ServerSettings, startServer } from '../../src/api/server.ts'
import { silentLog } from '../../src/lib/log.ts'
import { type Fake, fakeApp, fakeDeps } from './deps.ts'

export type Running = AsyncDisposable & { server: ApiServer; deps: Fake }

export async function serve(
  changes: Parameters<typeof fakeDeps>[0] = {},
  settings: Partial<ServerSettings> = {},
): Promise<Running> {
  const deps = fakeDeps(changes)
  const server = await startServer(fakeApp(deps), { host: '127.0.0.1', port: 0, log: silentLog, ...settings })
  return {
    server,
    deps,
    async [Symbol.asyncDispose]() {
      await server.close(0)
      deps[Symbol.dispose]()
    },
  }
}
