/** A stage that loses its process in the middle of a sentence begins anew before its viewers' eyes. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import type { DataLayout } from '../../src/project/layout.ts'
import { type TalkInput, talkOf } from '../fixtures/pipelines/talk.ts'
import type { StartOptions } from '../helpers/installation.ts'
import { readRecords } from '../helpers/journal.ts'
import { startProject } from '../helpers/started-project.ts'
import { assertTold, startAllKinds, untilAll, type Viewer } from '../helpers/viewers.ts'
import { stageOf, untilState, untilStatus, workerOf } from '../helpers/wait.ts'

test('SIGKILL of the worker in mid-sentence: viewers see a restarted stage, and never two speeches in one', async (t) => {
  const plan = { seed: 'killed', pieces: 300, paceMs: 10, pauses: ['1-200'] }
  const { layout, instance, id, speech, viewers } = await startTalk(t, plan)
  await untilMidSentence(viewers)
  const { pid } = await workerOf(instance, 'io-1')
  process.kill(pid!, 'SIGKILL')
  const end = await untilStatus({ layout, id }, 'completed')
  assert.equal(stageOf(end, 'talk').attempts, 2)
  await assertTold(viewers, 'talk', talkOf(speech, 2).text)
  assertRestartSeen(viewers)
})

test('a zombie that wakes up in the middle of its successor’s speech says nothing more', async (t) => {
  const env = { HANG_KILL_S: '0', WORKERS: 'llm,image,batch_processing,maintenance,health:2 video,ai_analysis:1' }
  const speech = { seed: 'zombie', pieces: 400, paceMs: 10, pauses: ['1-200', '2-200'] }
  const { layout, gates, instance, id, viewers } = await startTalk(t, speech, { env })
  await untilMidSentence(viewers)
  const zombie = speakerOf(layout, id)
  process.kill(zombie, 'SIGSTOP')
  t.after(() => continueAgain(zombie))
  await untilState({ layout, id, timeoutMs: 60_000 }, (s) => stageOf(s, 'talk').attempts === 2)
  await gates.reached('2-200')
  const others = [...viewers, ...startAllKinds(t, { url: instance.url, id, check: checkFor(speech) })]
  const told = talkOf(speech, 2).pieces.slice(0, 200).join('').length - 1
  const has = (viewer: Viewer) => (viewer.texts.get('talk') ?? '').length >= told
  await untilAll(others, has, { timeoutMs: 30_000, what: 'the viewers to hear the second speech' })
  gates.release('1-200') // it has something to say, wherever it was stopped
  continueAgain(zombie)
  const isSilenced = () => instance.output().includes('"message":"stage superseded"')
  await until(isSilenced, { timeoutMs: 30_000, what: 'the zombie to notice that it was superseded' })
  gates.release('2-200')
  await untilStatus({ layout, id }, 'completed')
  await assertTold(others, 'talk', talkOf(speech, 2).text)
  assertRestartSeen(viewers)
})

/** The process of the first attempt. */
function speakerOf(layout: DataLayout, id: string): number {
  const claim = readRecords(layout, id).find((record) => record.type === 'claim')
  assert.ok(claim, 'it has begun')
  return claim.owner.pid
}

type Speech = Omit<TalkInput, 'folder'>

/** Under way, with one viewer of each kind. However slow the machine, it waits in the middle: at the gates that are held. */
async function startTalk(t: TestContext, speech: Speech, start?: StartOptions) {
  const held = ['1-200', '2-200'] // two, so that nobody waits for it to come there
  const project = await startProject(t, { pipeline: 'talk', held, input: speech, start })
  const viewers = startAllKinds(t, { url: project.instance.url, id: project.id, check: checkFor(speech) })
  return { ...project, speech, viewers }
}

/** Each text must be the beginning of one speech. */
function checkFor(speech: Speech) {
  const speeches = [1, 2, 3].map((attempt) => talkOf(speech, attempt).text)
  return (text: string) => (speeches.some((whole) => whole.startsWith(text)) ? undefined : 'speeches are mixed')
}

async function untilMidSentence(viewers: Viewer[]): Promise<void> {
  const hasSome = (viewer: Viewer) => (viewer.texts.get('talk') ?? '').length > 200
  await untilAll(viewers, hasSome, { timeoutMs: 30_000, what: 'the viewers to be in the middle of it' })
  assert.ok(viewers.every((viewer) => !viewer.said.includes('done')))
}

function assertRestartSeen(viewers: Viewer[]): void {
  for (const { name, said } of viewers) {
    const restarts = said.filter((what) => what === 'stage_update restarted').length
    assert.equal(restarts, 1, `${name} was told: ${said}`)
  }
}

function continueAgain(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // It has ended, which is as good.
  }
}
