/** The usual beginning of a proof: the program runs, and a project of one of the fixture pipelines is under way. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { type ProjectLayout, projectLayout } from '../../src/project/layout.ts'
import { PARTS, STAGES } from '../fixtures/pipelines/steps.ts'
import { createGates, type Gates } from './gates.ts'
import { createInstallation, type Installation, type Instance, type StartOptions } from './installation.ts'
import { guardianOf, untilGone } from './processes.ts'
import { startWatch } from './stopwatch.ts'

export type ProjectPlan = {
  /** `steps` when not given. */
  pipeline?: string
  /** Gates that are held from the beginning. */
  held?: string[]
  /** Added to the folder of the gates. */
  input?: object
  start?: StartOptions
  mayTear?: boolean
}

export type StartedProject = Pick<Installation, 'layout'> & {
  installation: Installation
  gates: Gates
  instance: Instance
  id: string
  paths: ProjectLayout
}

/** With exactly one gate held, the project has come to it. */
export async function startProject(t: TestContext, plan: ProjectPlan = {}): Promise<StartedProject> {
  const installation = await createInstallation(t, { mayTear: plan.mayTear })
  const { layout } = installation
  const gates = createGates(t)
  gates.hold(...(plan.held ?? []))
  const instance = await installation.start(plan.start)
  const input = { folder: gates.folder, ...plan.input }
  const { id } = await instance.api.projects.create({ pipeline: plan.pipeline ?? 'steps', input })
  if (plan.held?.length === 1) await gates.reached(plan.held[0]!)
  return { installation, layout, gates, instance, id, paths: projectLayout(layout, id) }
}

/** SIGKILL, and the proof that within three seconds nothing of the run is left, the guardian included. */
export async function killSupervisor(
  installation: Installation,
  instance: Instance,
  { guarded = true } = {},
): Promise<void> {
  const others = (await installation.processes()).map(({ pid }) => pid)
  assert.ok(others.length >= 3, 'two workers and the scheduler run')
  const guardian = guarded ? [guardianOf(instance.supervisorPid)] : []
  const watch = startWatch()
  process.kill(instance.supervisorPid, 'SIGKILL')
  await untilGone([instance.supervisorPid, ...guardian, ...others], 10_000)
  const isNoneLeft = async () => (await installation.processes()).length === 0 // a stage may have started one meanwhile
  await until(isNoneLeft, { timeoutMs: 10_000, everyMs: 10, what: 'all processes to be gone' })
  watch.assertBelow(3_000)
}

/** By process: whether the stop had to kill it. */
export function forcedIn(instance: Instance): Record<string, boolean> {
  return Object.fromEntries(instance.facts('child_stopped').map(({ name, forced }) => [name, forced]))
}

/** Of the pipeline `steps`: every step was begun once, except those named. */
export function assertVisits(gates: Gates, other: Record<string, number> = {}): void {
  const names = STAGES.flatMap((stage) => PARTS.map((part) => `${stage}-${part}`))
  const wanted = Object.fromEntries(names.map((name) => [name, other[name] ?? 1]))
  assert.deepEqual(Object.fromEntries(names.map((name) => [name, gates.visits(name)])), wanted)
}
