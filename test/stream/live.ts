/** A real Redis, a project, a producer and a hub, and what a worker and a viewer do with them. */
import type { TestContext } from 'node:test'
import { silentLog } from '../../src/lib/log.ts'
import { until } from '../../src/lib/until.ts'
import { createHub, type Hub, type JoinOptions } from '../../src/stream/hub.ts'
import { createClient, type TestClient } from './client.ts'
import { createProject, type FakeProject, sourceOf } from './project.ts'
import { type Bench, openBench } from './redis.ts'

export const DONE = { latency_ms: 5, tokens_used: 7, model: 'm' }
export const T0 = new Date().toISOString()

export async function openLive(t: TestContext, { stages = ['write', 'draw'], args = [] as string[] } = {}) {
  const bench = await openBench(t, args)
  const project = createProject('p', stages)
  const hub = openHub(t, bench, project)
  return { ...bench, project, hub }
}

export function openHub(t: TestContext, { place, keys }: Bench, ...projects: FakeProject[]): Hub {
  const hub = createHub({ place, keys, source: sourceOf(...projects), log: silentLog })
  t.after(() => hub.close())
  return hub
}

export type Live = Awaited<ReturnType<typeof openLive>>

/** What a worker does: claims, announces, and streams. */
export async function startStage({ project, producer }: Pick<Live, 'project' | 'producer'>, stage: string) {
  const claimRevision = project.change(stage, { status: 'running', started_at: T0 })
  const stream = await producer.open({ projectId: project.id, stage, fence: `f${claimRevision}`, claimRevision })
  await producer.announce(project.state(), project.revisions)
  return stream
}

export async function completeStage(
  { project, producer }: Pick<Live, 'project' | 'producer'>,
  stage: string,
  text: string,
) {
  project.texts[stage] = text
  project.change(stage, { status: 'completed', progress: 100, finished_at: new Date().toISOString() })
  await producer.announce(project.state(), project.revisions)
}

export async function view(hub: Hub, options: Partial<JoinOptions> = {}, client = createClient()) {
  const viewer = await hub.join('p', { v: 2, ...options, sink: client.connect() })
  return { client, viewer }
}

export const sees = (client: TestClient, stage: string, text: string) =>
  until(() => client.texts[stage] === text, { timeoutMs: 10_000, what: `the text of ${stage}` })

export const typesOf = (client: TestClient) => client.messages.map((m) => m.type)
