/** `scale <group> <processes>`: more or fewer processes for a group, while it works. */
import { AppError } from '../lib/errors.ts'
import type { Verb } from './verb.ts'

export const scale: Verb = {
  usage: 'scale <group> <processes>',
  summary: 'give a group of workers so many processes until the next start; those that go finish first',
  timeoutS: 30,
  async run({ out, connect, signal }, [group = '', count = '']) {
    if (!/^\d+$/.test(count)) throw new AppError('invalid_value', `${count} is not a number of processes`)
    const { client } = await connect()
    const answer = await client.workers.scale({ group, processes: Number(count) }, { signal })
    out.data(answer, `${group}: ${answer.names.join(', ')}\n${answer.message}`)
    return 0
  },
}
