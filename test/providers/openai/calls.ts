/** What the tests of this folder share: a model on the local server, and ways to call it. */
import type { TestContext } from 'node:test'
import { createFfmpeg } from '../../../src/providers/ffmpeg/ffmpeg.ts'
import type { CallLimits } from '../../../src/providers/openai/call.ts'
import { createOpenAi, type OpenAi } from '../../../src/providers/openai/openai.ts'
import type { CallLedger, TextAnswer, TextModel, TextRequest, UsageRecord } from '../../../src/providers/provider.ts'
import { type OpenAiServer, startOpenAiServer } from '../../helpers/openai-server.ts'

const LIMITS: CallLimits = { firstByteMs: 5_000, idleMs: 5_000, wholeMs: 5_000 }

export type Rig = OpenAi & { server: OpenAiServer; text: TextModel; records: UsageRecord[] }

export async function openRig(
  t: TestContext,
  options: { limits?: Partial<CallLimits>; ledger?: CallLedger; model?: string; ffmpegPath?: string } = {},
): Promise<Rig> {
  const server = await startOpenAiServer()
  t.after(() => server[Symbol.asyncDispose]())
  const records: UsageRecord[] = []
  const model = options.model ?? 'test-model'
  const made = createOpenAi({
    settings: {
      apiKey: 'sk-test',
      baseUrl: server.url,
      textModel: model,
      imageModel: model,
      speechModel: model,
      transcribeModel: 'whisper-1',
    },
    ffmpeg: createFfmpeg({ ffmpegPath: options.ffmpegPath ?? null, ffprobePath: null }),
    record: (call) => records.push(call),
    ledger: options.ledger,
    limits: { ...LIMITS, ...options.limits },
  })
  return { ...made, text: made.text!, server, records }
}

export function request(more: Partial<TextRequest> = {}): TextRequest {
  return { system: 'Be brief.', user: 'Tell a story.', signal: new AbortController().signal, requestKey: 'k', ...more }
}

/** Everything that was streamed, and how it ended. */
export async function consume(stream: AsyncGenerator<string, TextAnswer, void>) {
  const deltas: string[] = []
  try {
    for (;;) {
      const { done, value } = await stream.next()
      if (done) return { deltas, answer: value, error: undefined }
      deltas.push(value)
    }
  } catch (error) {
    return { deltas, answer: undefined, error: error as any }
  }
}

/** A ledger in memory that counts. */
export function memoryLedger() {
  const raws = new Map<string, string>()
  const events: string[] = []
  const ledger: CallLedger = {
    async before(key) {
      events.push('before')
      const raw = raws.get(key)
      return raw === undefined ? null : { raw }
    },
    async after(key, raw) {
      events.push('after')
      raws.set(key, raw)
    },
    async refused() {
      events.push('refused')
    },
    async forget(key) {
      events.push('forget')
      raws.delete(key)
    },
  }
  return { ledger, raws, events }
}
