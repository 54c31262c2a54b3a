/** `restart <process>`: a fresh process in the place of this one, and nothing is lost on the way. */
import type { Verb } from './verb.ts'

export const restart: Verb = {
  usage: 'restart <process>',
  summary: 'replace one worker, or the scheduler, by a fresh process; running stages go on there',
  timeoutS: 30,
  async run({ out, connect, signal }, [name = '']) {
    const { client } = await connect()
    const answer = await client.workers.restart(name, { signal })
    out.data(answer, answer.message)
    return 0
  },
}
