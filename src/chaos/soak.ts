/** Random kills over minutes while many projects run: at the end nothing may be lost, doubled, torn or left. */
import { AppError, messageOf } from '../lib/errors.ts'
import { sleep, until } from '../lib/until.ts'
import type { Finding } from './audit.ts'
import { examine, lockFindings, type Verdict } from './examine.ts'
import { createKeeper, type Keeper } from './keeper.ts'
import { createLoad, type Load } from './load.ts'
import { assertProc } from './matrix.ts'
import { createRandom, pick } from './random.ts'
import { medianOf, recoveriesOf, type Strike } from './recovery.ts'
import { createRig, killQuietly, type Rig } from './rig.ts'
import { type Kill, planSoak, type SoakPlan, type SoakWishes, type VictimKind } from './soak-plan.ts'
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

export type VictimReport = { kind: VictimKind; kills: number; median_ms: number | null; longest_ms: number | null }

export type SoakReport = {
  ok: boolean
  seed: string
  kills: number
  /** Kills for which there was nobody to kill. */
  missed: number
  /** Starts of the program, the first one included. */
  starts: number
  projects: number
  repeated: number | null
  victims: VictimReport[]
  findings: Finding[]
  took_ms: number
  folder: string | null
}

type Hit = Strike & { kind: VictimKind }
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
/** What is left to do when the last kill has fallen. */
const REST_MS = 180_000
const STOP_MS = 30_000
const GONE_MS = 3_000
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
    const report = reportOf(soak, verdict)
    keep = !report.ok
    return { ...report, took_ms: Math.round(performance.now() - startedMs), folder: keep ? rig.folder : null }
  } finally {
    over.abort()
    await rig.kill()
    if (!keep) await rig.remove()
  }
}

async function perform(soak: Soak): Promise<Verdict> {
  const { rig, keeper, load, options, findings } = soak
  const { signal } = options
  await until(() => keeper.serving(), { timeoutMs: FIRST_START_MS, signal, what: 'the first start' })
  const ticking = setInterval(() => tell(soak), PROGRESS_EVERY_MS)
  try {
    await Promise.all([killAll(soak), askAll(soak)])
    await load.untilEnded({ timeoutMs: REST_MS, signal })
    await until(() => isHealthy(keeper), {
      timeoutMs: REST_MS,
      everyMs: 100,
      signal,
      what: 'the program to be healthy',
    })
  } catch (error) {
    signal.throwIfAborted()
    findings.push({ kind: 'wrong', text: messageOf(error) })
  } finally {
    clearInterval(ticking)
  }
  await stop(soak)
  return examine({ ...rig, expected: load.expected })
}

async function isHealthy(keeper: Keeper): Promise<boolean> {
  const body = await keeper.serving()?.api.status()
  return body?.data.status === 'healthy'
}

function tell({ hits, load, options }: Soak): void {
  const asked = load.expected.size
  options.onProgress({ kills: hits.length, asked, ended: asked - load.open().length })
}

async function killAll(soak: Soak): Promise<void> {
  const startedMs = performance.now()
  for (const kill of soak.plan.kills) {
    await sleep(Math.max(0, startedMs + kill.atMs - performance.now()), soak.options.signal)
    const hit = await strike(soak, kill)
    if (hit) soak.hits.push(hit)
  }
}

/** Somebody of the kind may just be on the way back: that is waited for, but not for ever. */
const VICTIM_MS = 5_000

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

async function stop({ rig, keeper, findings, options }: Soak): Promise<void> {
  const program = keeper.program()
  const url = keeper.serving()?.url ?? null
  keeper.rest()
  keeper.excuse()
  program.signal('SIGTERM')
  const exit = await program.ended(STOP_MS).catch(() => null) // said below
  options.signal.throwIfAborted()
  if (exit?.code !== 0) findings.push({ kind: 'wrong', text: `SIGTERM did not end it well (${exit?.code ?? 'late'})` })
  const isGone = await rig.gone(GONE_MS).then(
    () => true,
    () => false,
  )
  if (!isGone)
    for (const pid of await rig.pids()) findings.push({ kind: 'left', text: `process ${pid} after the stop` })
  await rig.kill()
  findings.push(...(await lockFindings(rig.layout, url)))
}

function reportOf({ keeper, plan, hits, findings, options }: Soak, verdict: Verdict) {
  const all = [...findings, ...verdict.findings]
  const kinds = [...new Set(plan.kills.map(({ kind }) => kind))].sort()
  return {
    ok: all.length === 0,
    seed: options.seed,
    kills: hits.length,
    missed: plan.kills.length - hits.length,
    starts: keeper.starts(),
    projects: verdict.projects,
    repeated: verdict.repeated,
    victims: kinds.map((kind) => victimReport(kind, hits, { verdict, keeper })),
    findings: all,
  }
}

type Sources = { verdict: Verdict; keeper: Keeper }

function victimReport(kind: VictimKind, hits: readonly Hit[], { verdict, keeper }: Sources): VictimReport {
  const mine = hits.filter((hit) => hit.kind === kind)
  const times = mine.flatMap((hit) => {
    const all = kind === 'scheduler' ? readyAfter(keeper, kind, hit.atMs) : recoveriesOf(verdict.histories, hit)
    return all.length === 0 ? [] : [Math.max(...all)]
  })
  return {
    kind,
    kills: mine.length,
    median_ms: medianOf(times),
    longest_ms: times.length === 0 ? null : Math.max(...times),
  }
}

/** The scheduler runs no stages: what it does goes on when it is ready again. */
function readyAfter(keeper: Keeper, name: string, atMs: number): number[] {
  const ready = keeper.facts().find((f) => f.type === 'child_ready' && f.name === name && f.atMs > atMs)
  return ready ? [ready.atMs - atMs] : []
}
