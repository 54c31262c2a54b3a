/** Who joins late misses nothing, and who asks Redis itself gets the same. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { until } from '../../src/lib/until.ts'
import { openRedis } from '../../src/redis/client.ts'
import { talkOf } from '../fixtures/pipelines/talk.ts'
import type { Installation } from '../helpers/installation.ts'
import { ROOT } from '../helpers/program.ts'
import { startProject } from '../helpers/started-project.ts'
import { assertTold, KINDS, startAllKinds, startViewer, untilAll } from '../helpers/viewers.ts'
import { untilStatus } from '../helpers/wait.ts'

const LONG = { seed: 'late', pieces: 5_100, pauses: ['1-5000'] }

test('5,000 tokens before anyone joins: the first frames of every kind of viewer bring the exact text', async (t) => {
  const { layout, gates, instance, id } = await startProject(t, { pipeline: 'talk', held: ['1-5000'], input: LONG })
  const { pieces, text } = talkOf(LONG, 1)
  // Half a character has to wait for its other half.
  const before = pieces.slice(0, 5_000).join('')
  const told = before.isWellFormed() ? before : before.slice(0, -1)
  const witness = startViewer(t, { url: instance.url, id, via: 'poll' })
  await untilAll([witness], (v) => v.texts.get('talk') === told, { timeoutMs: 20_000, what: 'all to be published' })
  const first = KINDS.map(() => '')
  const viewers = KINDS.map((kind, i) => {
    const onToken = () => {
      first[i] ||= viewers[i]!.texts.get('talk')!
    }
    return startViewer(t, { url: instance.url, id, ...kind, onToken })
  })
  await untilAll(viewers, (v) => v.texts.has('talk'), { timeoutMs: 20_000, what: 'the first frames' })
  for (const [i, viewer] of viewers.entries()) {
    assert.equal(first[i], told, `the first token of ${viewer.name} is the whole text`)
    assert.ok(viewer.counts.messages <= 4, `${viewer.name} got ${viewer.counts.messages} messages`)
  }
  gates.release('1-5000')
  await assertTold([witness, ...viewers], 'talk', text)
  await untilStatus({ layout, id }, 'completed')
  await assertTold(startAllKinds(t, { url: instance.url, id }), 'talk', text)
})

test('programs that subscribe to Redis themselves get every message of a stage and the project’s progress', async (t) => {
  const input = { seed: 'direct', pieces: 300, paceMs: 5, pauses: ['1-5'] }
  const { installation, layout, gates, instance, id } = await startProject(t, {
    pipeline: 'talk',
    held: ['1-5'],
    input,
  })
  const viewer = startViewer(t, { url: instance.url, id, via: 'ws', v: 2 })
  const stageChannel = `ai_story:project:${id}:stage:talk`
  const heard = await subscribe(t, await redisUrlOf(installation), [stageChannel, `progress:${id}`])
  gates.release('1-5')
  await untilStatus({ layout, id }, 'completed')
  const isDone = ({ message }: Heard) => message.type === 'done'
  const isWhole = ({ channel, message }: Heard) => channel === `progress:${id}` && message.progress === 100
  await until(() => heard.some(isDone) && heard.some(isWhole), {
    timeoutMs: 20_000,
    what: 'the last messages on the channels',
  })
  const { text } = talkOf(input, 1)
  const ofStage = heard.filter(({ channel }) => channel === stageChannel).map(({ message }) => message)
  const tokens = ofStage.filter(({ type }) => type === 'token')
  assert.ok(tokens.length > 5 && tokens.every((token) => !('full_text' in token) && token.stage === 'talk'))
  const from = tokens[0].offset as number
  assert.equal(tokens.map(({ content }) => content).join(''), text.slice(from))
  for (const [i, { offset, content }] of tokens.entries())
    assert.equal(offset + content.length, tokens[i + 1]?.offset ?? text.length, 'each token follows the one before')
  assert.equal(ofStage.find(({ type }) => type === 'done').full_text, text)
  const seqs = ofStage.map(({ seq }) => seq as number)
  assert.deepEqual(
    seqs,
    seqs.toSorted((a, b) => a - b),
  )
  const progress = heard.filter(({ channel }) => channel === `progress:${id}`).map(({ message }) => message)
  for (const note of progress) {
    assert.deepEqual(Object.keys(note).sort(), ['message', 'progress', 'project_id', 'stage', 'timestamp'])
    assert.equal(new Date(note.timestamp).toISOString().slice(0, 19), note.timestamp.slice(0, 19))
  }
  assert.deepEqual(progress.filter((note) => note.progress === 100).length, 1, 'only the end is 100')
  await assertTold([viewer], 'talk', text)
})

type Heard = { channel: string; message: any }

async function subscribe(t: TestContext, url: string, channels: string[]): Promise<Heard[]> {
  const client = openRedis({ url }, 'patient')
  t.after(() => client.disconnect())
  const heard: Heard[] = []
  client.on('message', (channel: string, text: string) => heard.push({ channel, message: JSON.parse(text) }))
  await client.subscribe(...channels)
  return heard
}

/** As `npm run cli -- redis-url` says it. */
async function redisUrlOf({ dataDir }: Installation): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: dataDir }
  const args = ['--disable-warning=ExperimentalWarning', 'src/cli.ts', 'redis-url', '--with-password']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, env })
  return stdout.trim()
}
