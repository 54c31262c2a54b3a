/** Film projects in the running program, seen from outside: their files, their steps, the programs that they run. */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import type { videoInput } from '../../src/pipelines/video/schema.ts'
import { type DataLayout, projectLayout } from '../../src/project/layout.ts'
import type { ProjectState } from '../../src/project/project.ts'
import { decodeRecord } from '../../src/project/records.ts'
import type { Installation, Instance } from './installation.ts'
import type { RunningProcess } from './processes.ts'
import { hashesOf } from './soundness.ts'

export const STAGES = ['script', 'assets', 'render', 'thumbnail', 'upload'] as const

export type FilmStage = (typeof STAGES)[number]

export type FilmInput = z.input<typeof videoInput>

const TEXTS = join(import.meta.dirname, '../fixtures/texts')

/** A real text of more than 600 words. */
export function readText(name: 'tell-tale-heart' | 'second-inaugural'): string {
  const text = readFileSync(join(TEXTS, `${name}.txt`), 'utf8')
  assert.ok(text.split(/\s+/).length >= 600)
  return text
}

/** A film that is made in seconds: small and short, from a real text, with a few shots. */
export function smallFilm(more: Partial<FilmInput> = {}): FilmInput {
  return { text: readText('tell-tale-heart'), height: 360, max_duration_s: 25, ...more }
}

export async function createFilm({ api }: Instance, input: FilmInput): Promise<string> {
  return (await api.projects.create({ pipeline: 'video', input })).id
}

/** Name → what changes when a file is written anew, even with the same bytes. */
export async function identitiesOf(layout: DataLayout, state: ProjectState): Promise<Record<string, string>> {
  const hashes = await hashesOf(layout, state)
  const { artifacts } = projectLayout(layout, state.id)
  const entries = state.artifacts.map(({ name, file }) => {
    const { ino, mtimeMs } = statSync(join(artifacts, file))
    return [name, `${hashes[name]} ${ino} ${mtimeMs}`] as const
  })
  return Object.fromEntries(entries)
}

/** The identities of what nothing may touch any more: the files of finished stages and steps. */
export async function finishedFiles(layout: DataLayout, state: ProjectState): Promise<Record<string, string>> {
  const { stages, artifacts } = state
  const isDone = (name: string) => stages.some((s) => s.name === name && s.status === 'completed')
  const ofStages = artifacts.filter((a) => isDone(a.stage)).map((a) => a.name)
  const names = new Set([...ofStages, ...stages.flatMap((s) => s.steps.flatMap((step) => step.files))])
  return Object.fromEntries(Object.entries(await identitiesOf(layout, state)).filter(([name]) => names.has(name)))
}

/** `stage/step` for every step record of the journal, in order; one that was done twice is there twice. */
export function stepsDone(layout: DataLayout, id: string): string[] {
  const lines = readFileSync(projectLayout(layout, id).journal, 'utf8').split('\n')
  return lines.flatMap((line) => {
    const record = decodeRecord(line)
    return record?.type === 'step' ? [`${record.stage}/${record.name}`] : []
  })
}

/** What stages have started: every process of the run that is not one of ours for good. */
export async function toolsOf(installation: Installation, instance: Instance): Promise<RunningProcess[]> {
  const { redis, worker, scheduler } = (await instance.api.status()).data.services
  const own = new Set([redis.pid, scheduler.pid, ...worker.workers!.map((w) => w.pid)])
  return (await installation.processes()).filter(({ pid }) => !own.has(pid))
}
