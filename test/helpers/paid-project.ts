/** A project of the pipeline `paid`, whose model is the server that fails on request. */
import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { until } from '../../src/lib/until.ts'
import type { ProjectLayout } from '../../src/project/layout.ts'
import { decodeRecord, type JournalRecord } from '../../src/project/records.ts'
import { answerTo } from './openai-answers.ts'
import type { Fault } from './openai-faults.ts'
import { type OpenAiServer, type SeenCall, startOpenAiServer } from './openai-server.ts'
import { type StartedProject, startProject } from './started-project.ts'

export type PaidProject = StartedProject & {
  server: OpenAiServer
  /** The calls that asked for this part. */
  calls(part: string): SeenCall[]
  /** Resolves with the call once so many have arrived. */
  asked(part: string, times?: number): Promise<SeenCall>
  records(): JournalRecord[]
}

/** `held`: none or several gates. */
export type PaidPlan = { parts: string[]; held?: string[]; faults?: Fault[] }

/** The first fault is for the call of the first part: the stage before it asks well. */
export async function startPaidProject(
  t: TestContext,
  { parts, held = [], faults = [] }: PaidPlan,
): Promise<PaidProject> {
  const server = await startOpenAiServer()
  t.after(() => server[Symbol.asyncDispose]())
  server.behaviour.faults.push({ kind: 'answer', text: answerOf('outline') }, ...faults)
  const env = { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: server.url, TEXT_MODEL: 'test-model' }
  const project = await startProject(t, { pipeline: 'paid', input: { parts }, start: { env }, held })
  const calls = (part: string) => server.calls.filter(({ body }) => body.messages.at(-1).content === questionOf(part))
  return {
    ...project,
    server,
    calls,
    records: () => recordsOf(project.paths),
    asked: (part, times = 1) =>
      until(() => calls(part)[times - 1], { timeoutMs: 40_000, everyMs: 5, what: `call ${times} for ${part}` }),
  }
}

/** What the server says of a part when nothing fails. */
export function answerOf(part: string): string {
  const messages = [
    { role: 'system', content: 'Answer.' },
    { role: 'user', content: questionOf(part) },
  ]
  return answerTo({ model: 'test-model', messages })
}

function questionOf(part: string): string {
  return `Tell of ${part}.`
}

function recordsOf({ journal }: ProjectLayout): JournalRecord[] {
  return readFileSync(journal, 'utf8')
    .split('\n')
    .flatMap((line) => decodeRecord(line) ?? [])
}
