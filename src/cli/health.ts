/** `health`: for container runtimes and monitors, which know only good and bad. */
import { printable } from '../lib/columns.ts'
import { messageOf } from '../lib/errors.ts'
import type { Verb } from './verb.ts'

/** Work goes on in these; a restart would only interrupt it. */
const ALIVE = ['healthy', 'degraded']

export const health: Verb = {
  usage: 'health',
  summary: 'exits with 0 when work can be done, else with 1',
  timeoutS: 5,
  async run({ out, connect, signal }) {
    try {
      const { client } = await connect()
      const { data } = await client.status({ signal })
      const ok = ALIVE.includes(data.status)
      out.data({ ok, status: data.status, message: data.message }, printable(`${data.status}: ${data.message}`))
      return ok ? 0 : 1
    } catch (error) {
      // Docker reserves every other exit code, so whatever went wrong is simply: not healthy.
      out.data(
        { ok: false, status: 'unreachable', message: messageOf(error) },
        printable(`unreachable: ${messageOf(error)}`),
      )
      return 1
    }
  },
}
