/** Random kills over minutes while many projects run: at the end nothing may be lost, doubled, torn or left. */
import { AppError, messageOf } from '../lib/errors.ts'
import { sleep, until } from '../lib/until.ts'
import type { Finding } from './audit.ts'
import { casualtiesOf } from './casualties.ts'
import { examine, type Verdict } from './examine.ts'
import { createKeeper, type Keeper } from './keeper.ts'
import { createLoad, type Load } from './load.ts'
import { killQuietly } from './marked.ts'
import { assertProc } from './matrix.ts'
import { createRandom, pick } from './random.ts'
import { createRig, type Rig } from './rig.ts'
import { type Kill, planSoak, type SoakPlan, type SoakWishes } from './soak-plan.ts'
import { type Hit, reportSoak, type SoakReport } from './soak-report.ts'
import { stopAndLook } from './stop.ts'
import { victimsOf } from './victims.ts'
import { stepsWork, type Work } from './work.ts'

export type SoakOptions = {
  wishes: SoakWishes
  seed: string
  signal: AbortSignal
  /** The user's pipeline in place of ours. */
  work?: Work
  onProgress(now: { kills: number; asked: number; ended: number }): void
}

type Soak = {
  rig: Rig
  keeper: Keeper
  load: Load
  plan: SoakPlan
  options: SoakOptions
  hits: Hit[]
  findings: Finding[]
}

const FIRST_START_MS = 30_000
/** What is left to do when the last kill has fallen: as long as it goes on, and no longer than this. */
const MOST_REST_MS = 1_800_000
/** When nothing is heard for so long, it does not go on. */
const REST_MS = 180_000
const PROGRESS_EVERY_MS = 1_000

export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  assertProc()
  const startedMs = performance.now()
  const plan = planSoak(options.wishes, createRandom(options.seed))
  const over = new AbortController()
  const signal = AbortSignal.any([options.signal, over.signal])
  const rig = await createRig({ signal, ofUser: options.work !== undefined })
  const findings: Finding[] = []
  const onEnd = (text: string) => void findings.push({ kind: 'wrong', text })
  const keeper = createKeeper({ rig, signal, onEnd })
  const soak: Soak = { rig, keeper, load: createLoad(rig.layout), plan, options, hits: [], findings }
  let keep = false
  try {
    const verdict = await perform(soak)
    const facts = { ...soak, verdict, facts: keeper.facts(), starts: keeper.starts(), planned: plan.kills.length }
    const report = reportSoak({ ...facts, seed: options.seed })
    keep = !report.ok
    return { ...report, took_ms: Math.round(performance.now() - startedMs), folder: keep ? rig.folder : null }
  } finally {
    over.abort()
    await rig.end({ keep })
  }
}

async function perform(soak: Soak): Promise<Verdict> {
  const { rig, keeper, load, options, findings } = soak
  const { signal } = options
  await until(() => keeper.serving(), { timeoutMs: FIRST_START_MS, signal, what: 'the first start' })
  const ticking = setInterval(() => tell(soak), PROGRESS_EVERY_MS)
  try {
    const done = await Promise.allSettled([killAll(soak), askAll(soak)])
    await load.untilEnded({ timeoutMs: MOST_REST_MS, idleMs: REST_MS, signal })
    const wait = { timeoutMs: REST_MS, everyMs: 100, signal, what: 'the program to be healthy' }
    await until(() => isHealthy(keeper), wait)
    for (const result of done) if (result.status === 'rejected') throw result.reason
  } catch (error) {
    signal.throwIfAborted()
    findings.push({ kind: 'wrong', text: messageOf(error) })
  } finally {
    clearInterval(ticking)
  }
  const program = { ...keeper.program(), url: keeper.serving()?.url }
  keeper.rest()
  keeper.excuse()
  findings.push(...(await stopAndLook(rig, program, signal)))
  return examine({ ...rig, expected: load.expected, casualties: casualtiesOf(rig.launched()) })
}

async function isHealthy(keeper: Keeper): Promise<boolean> {
  const body = await keeper
    .serving()
    ?.api.status()
    .catch(() => undefined) // it may just be starting
  return body?.data.status === 'healthy'
}

function tell({ hits, load, options }: Soak): void {
  const asked = load.expected.size
  options.onProgress({ kills: hits.length, asked, ended: asked - load.open().length })
}

/** On a slow machine kills fall behind; then the rest is put off, so that they never come in a storm. */
const MOST_BEHIND_MS = 2_000
const SERVING_MS = 60_000

async function killAll(soak: Soak): Promise<void> {
  const { plan, keeper, options } = soak
  let originMs = performance.now()
  for (const kill of plan.kills) {
    const what = 'the program to serve, so that it can be hit'
    await sleep(Math.max(0, originMs + kill.atMs - performance.now()), options.signal)
    if (!kill.anytime)
      await until(() => keeper.serving(), { timeoutMs: SERVING_MS, everyMs: 20, signal: options.signal, what })
    originMs = Math.max(originMs, performance.now() - kill.atMs - MOST_BEHIND_MS)
    const hit = await strike(soak, kill)
    if (hit) soak.hits.push(hit)
  }
}

/** Somebody of the kind may just be on the way back, slowly where the machine is slow: that is waited for, but not for ever. */
const VICTIM_MS = 30_000

async function strike({ rig, keeper, options }: Soak, { kind, among }: Kill): Promise<Hit | undefined> {
  const find = async () => pick(() => among, await victimsOf(rig, keeper.program(), kind))
  const wait = { timeoutMs: VICTIM_MS, everyMs: 20, signal: options.signal, what: `a ${kind} to kill` }
  const pid = await until(find, wait).catch(() => options.signal.throwIfAborted())
  if (!pid) return undefined
  const isSupervisor = kind === 'supervisor'
  const pids = isSupervisor ? await rig.pids() : [pid]
  if (isSupervisor) keeper.excuse()
  const atMs = Date.now()
  return killQuietly(pid, 'SIGKILL') ? { kind, atMs, pids, noticedMs: null } : undefined
}

async function askAll(soak: Soak): Promise<void> {
  const { plan, options } = soak
  const startedMs = performance.now()
  await Promise.all(
    plan.projectsAtMs.map(async (atMs, index) => {
      await sleep(Math.max(0, startedMs + atMs - performance.now()), options.signal)
      await ask(soak, `chaos-${options.seed}-${index}`)
    }),
  )
}

const ASK_MS = 120_000
const ASK_EVERY_MS = 100

/** As a careful client does: the same request with the same key until it is answered. */
async function ask({ rig, keeper, load, plan, options }: Soak, idempotencyKey: string): Promise<void> {
  const { signal } = options
  const work = options.work ?? stepsWork({ effects: rig.effects, ...plan.pace })
  const { pipeline, input } = work
  const create = async () => {
    try {
      return await keeper.serving()?.api.projects.create({ pipeline, input }, { idempotencyKey, signal })
    } catch (error) {
      if (error instanceof AppError && PASSING.has(error.code)) return undefined
      throw error
    }
  }
  const what = 'a project to be accepted'
  const { id } = await until(create, { timeoutMs: ASK_MS, everyMs: ASK_EVERY_MS, signal, what })
  load.accept(id, work.expected)
}

/** The program is down, booting or in the middle of the same request. */
const PASSING: ReadonlySet<string> = new Set(['unavailable', 'timeout', 'in_progress'])
