/** The video pipeline with models for everything: script, pictures and narration come from the server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RenderResult, ScriptResult } from '../../../src/pipelines/video/results.ts'
import { video } from '../../../src/pipelines/video/video.ts'
import { createProviders } from '../../../src/providers/pick.ts'
import type { UsageRecord } from '../../../src/providers/provider.ts'
import { startOpenAiServer } from '../../helpers/openai-server.ts'
import { openStages, PLAIN_OPTIONS } from '../../helpers/stage-context.ts'

test('with models configured none of it is built in', { timeout: 120_000 }, async () => {
  await using server = await startOpenAiServer()
  const records: UsageRecord[] = []
  const model = 'test-model'
  const openai = {
    apiKey: null,
    baseUrl: server.url,
    textModel: model,
    imageModel: model,
    speechModel: model,
    transcribeModel: null,
  }
  const providers = createProviders({ ...PLAIN_OPTIONS, openai, record: (call) => records.push(call) })
  await using stages = await openStages(video, { text: 'The crow flew to the sea.', height: 360 }, providers)
  for (const stage of ['script', 'assets', 'render', 'thumbnail']) await stages.run(stage)

  for (const stage of ['script', 'assets', 'thumbnail'])
    assert.deepEqual(
      { ...stages.records[stage]!.provenance },
      { provider: 'openai-compatible', model, degraded: [] },
      stage,
    )
  const script = stages.records.script!.result as ScriptResult
  const lines = script.shots.flatMap((shot) => shot.lines)
  const kinds = (kind: string) => records.filter((call) => call.kind === kind).length
  // One picture a shot and one for the thumbnail; one sound a line.
  assert.deepEqual([kinds('text'), kinds('image'), kinds('speech')], [1, script.shots.length + 1, lines.length])
  const spoken = server.calls.filter((call) => call.path === '/v1/audio/speech').map((call) => call.body.input)
  assert.deepEqual(spoken.toSorted(), lines.map((line) => line.text).toSorted())
  assert.deepEqual(
    Object.values(server.counts()).filter((count) => count !== 1),
    [],
    'every call has a key of its own',
  )
  const { width, height, duration_s } = stages.records.render!.result as RenderResult
  assert.deepEqual([width, height], [640, 360])
  assert.ok(duration_s > 1)
})
