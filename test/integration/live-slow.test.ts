/** One viewer that stops reading: nobody else notices, the server keeps nothing for it, and it misses nothing. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { talkOf } from '../fixtures/pipelines/talk.ts'
import { createInstallation, type Installation, type Instance } from '../helpers/installation.ts'
import { assertTold, startViewer, untilAll, type Viewer } from '../helpers/viewers.ts'
import { untilStatus } from '../helpers/wait.ts'

const OTHERS = 99

/** With v=1 a viewer would be sent over 20 MB of it, far more than the kernel's buffers hold. */
const SPEECH = { seed: 'slow', pieces: 700, size: 600, paceMs: 8, folder: '' }

test('one viewer of a hundred stops reading: the others are as fast as before, and in the end it has the exact text', async (t) => {
  const installation = await createInstallation(t)
  const instance = await installation.start()
  const stage = { t, installation, instance }
  const before = await show(stage, { stall: false })
  const readyBytes = residentBytes(instance.supervisorPid)
  const { slow, latencyMs, counts } = await show(stage, { stall: true })
  const grownMb = (residentBytes(instance.supervisorPid) - readyBytes) / 2 ** 20
  const messages = slow.counts.messages
  slow.socket!.resume()
  const { text } = talkOf(SPEECH, 1)
  await assertTold([slow], 'talk', text)
  t.diagnostic(`p99 ${Math.round(before.latencyMs)} ms, with a slow viewer ${Math.round(latencyMs)} ms`)
  t.diagnostic(`memory grew by ${grownMb.toFixed(1)} MB; it got ${slow.counts.messages} messages, others ${counts}`)
  assert.ok(messages < counts / 2, `it had read ${messages} of ${counts} messages before it went on`)
  assert.ok(slow.counts.messages < counts, 'what came in the meantime was merged')
  assert.ok(slow.counts.connections === 1, 'it was never cut off')
  assert.ok(latencyMs < Math.max(500, 2 * before.latencyMs), `p99 was ${before.latencyMs} ms and is ${latencyMs} ms`)
  assert.ok(grownMb < 4, `memory grew by ${grownMb} MB`)
})

type Stage = { t: TestContext; installation: Installation; instance: Instance }

/** A whole speech before a hundred viewers; returns how late the others heard it, and how many messages that took. */
async function show({ t, installation, instance }: Stage, { stall }: { stall: boolean }) {
  const { url, api } = instance
  const { id } = await api.projects.create({ pipeline: 'talk', input: SPEECH, autostart: false })
  const delaysMs: number[] = []
  const onToken = ({ timestamp }: { timestamp: number }) => void delaysMs.push(Date.now() - timestamp * 1_000)
  const others = Array.from({ length: OTHERS }, () => startViewer(t, { url, id, via: 'ws', v: 2, onToken }))
  let willStop = stall
  const slow: Viewer = startViewer(t, {
    url,
    id,
    via: 'ws',
    v: 1,
    onToken: () => {
      if (willStop) slow.socket!.pause()
      willStop = false
    },
  })
  const limits = { timeoutMs: 20_000, what: 'all to be connected' }
  await untilAll([slow, ...others], (viewer) => viewer.counts.messages > 0, limits)
  await api.projects.start(id)
  await untilStatus({ layout: installation.layout, id, timeoutMs: 60_000 }, 'completed')
  await assertTold(stall ? others : [...others, slow], 'talk', talkOf(SPEECH, 1).text)
  delaysMs.sort((a, b) => a - b)
  return { slow, latencyMs: delaysMs[Math.floor(delaysMs.length * 0.99)]!, counts: others[0]!.counts.messages }
}

function residentBytes(pid: number): number {
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
}
