/** What a viewer downloads: it must grow with the text, not with its square. */
import type { Benchmark } from './benchmark.ts'
import { listenTo, startTalker } from './viewers-parts.ts'

const PER_SECOND = 200
const TOKENS = 4_000
const TIMES = 10

export const bytes: Benchmark = {
  name: 'bytes',
  what: `a viewer of ${TOKENS} and of ${TIMES * TOKENS} tokens at ${PER_SECOND}/s, beside the whole text in each frame`,
  goal: '18 KB of text at most 0.5 MB; ten times the text at most 11 times the bytes',
  runs: 1,
  async run(bench) {
    await using instance = await startTalker(await bench.folder(), bench.signal)
    const place = { instance, signal: bench.signal }
    const listen = async (tokens: number) => {
      const heard = await listenTo(place, { tokens, perSecond: PER_SECOND, stamped: false, keepsPace: true }, 1)
      return heard.bytes[0]! / 1_048_576
    }
    const [short, long]: [number[], number[]] = [[], []]
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}, ${(TIMES * TOKENS) / PER_SECOND} s`)
      const both = await Promise.all([listen(TOKENS), listen(TIMES * TOKENS)])
      short.push(both[0])
      long.push(both[1])
    }
    await instance.stop()
    const growth = long.map((mb, i) => mb / short[i]!)
    const naive = naiveMb(TOKENS)
    return [
      {
        name: `${TOKENS} tokens`,
        ...{ unit: 'MB', statistic: 'median', ours: short, reference: [naive] },
        goal: { of: 'ours', atMost: 0.5 },
      },
      {
        name: `${TIMES * TOKENS} tokens beside ${TOKENS}`,
        ...{ unit: '×', statistic: 'median', ours: growth, reference: [naiveMb(TIMES * TOKENS) / naive] },
        goal: { of: 'ours', atMost: 11 },
      },
    ]
  },
}

/** Computed: a frame for each token, with the whole text so far in it, as the older system sends them. */
function naiveMb(tokens: number): number {
  const id = '00000000-0000-7000-8000-000000000000'
  const token = {
    type: 'token',
    content: 'word ',
    full_text: '',
    stage: 'talk',
    project_id: id,
    timestamp: 1.5e9 + 0.001,
  }
  const envelope = JSON.stringify(token).length
  return (tokens * envelope + (4.5 * tokens * (tokens + 1)) / 2) / 1_048_576
}
