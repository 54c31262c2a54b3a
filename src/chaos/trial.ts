/** One fault on a temporary instance of its own: work under way, the blow, the recovery, the verdict. */
import { AppError, messageOf } from '../lib/errors.ts'
import { until } from '../lib/until.ts'
import type { Finding } from './audit.ts'
import { casualtiesOf } from './casualties.ts'
import { examine, type Verdict } from './examine.ts'
import { type Fault, PACE, type Scene } from './fault.ts'
import { createLoad, type Load } from './load.ts'
import type { Random } from './random.ts'
import { recoveriesOf, type Strike } from './recovery.ts'
import { createRig, type Instance, type Rig } from './rig.ts'
import { stopAndLook } from './stop.ts'
import { stepsWork, type Work } from './work.ts'

export type TrialOptions = {
  random: Random
  signal: AbortSignal
  /** A user's pipeline in place of ours; twice. */
  work?: Work
  deadlineMs: number
}

export type Trial = {
  id: string
  what: string
  outcome: 'passed' | 'failed' | 'skipped'
  /** Why it was skipped, or could not be carried out. */
  reason: string | null
  findings: Finding[]
  projects: number
  /** The longest of its blows. */
  noticed_ms: number | null
  again_ms: number | null
  repeated: number | null
  took_ms: number
  /** What is kept when something was found. */
  folder: string | null
}

type Judged = Omit<Trial, 'id' | 'what' | 'took_ms'>

const HEALTHY_MS = 30_000
const USER_PROJECTS = 2

/** Throws only when the user wants to leave: whatever else goes wrong is a trial that failed. */
export async function tryFault(fault: Fault, options: TrialOptions): Promise<Trial> {
  const startedMs = performance.now()
  const late = AbortSignal.timeout(options.deadlineMs)
  const timed = { ...options, deadline: AbortSignal.any([options.signal, late]) }
  let judged: Judged = NOTHING
  try {
    await onItsGround(fault, timed, (is) => {
      judged = is
    })
  } catch (error) {
    options.signal.throwIfAborted()
    const reason = [judged.reason, ...reasonsOf(error)].filter((part) => part !== null).join('; ')
    judged = { ...judged, outcome: 'failed', reason }
  }
  const { id, what } = fault
  return { id, what, ...judged, took_ms: Math.round(performance.now() - startedMs) }
}

const NOTHING: Judged = {
  outcome: 'skipped',
  reason: null,
  findings: [],
  projects: 0,
  noticed_ms: null,
  again_ms: null,
  repeated: null,
  folder: null,
}

/** `deadline` also aborts when the user wants to leave. */
type Timed = TrialOptions & { deadline: AbortSignal }

/** What was made is undone in reverse, each part also when another one fails. */
async function onItsGround(fault: Fault, options: Timed, tell: (judged: Judged) => void): Promise<void> {
  await using stack = new AsyncDisposableStack()
  let kept: string | null = null
  const ground = await fault.ground?.()
  if (ground && 'skipped' in ground) return tell({ ...NOTHING, reason: ground.skipped })
  if (ground) stack.defer(() => ground.release(kept))
  const ofUser = options.work !== undefined
  const { env, redis } = fault
  const rig = await createRig({ signal: options.deadline, ofUser, env, redis, dataDir: ground?.dataDir })
  stack.defer(() => rig.end({ keep: kept !== null }))
  const judged = await strikeAndJudge(fault, options, rig)
  if (judged.outcome === 'failed') kept = rig.folder
  tell({ ...judged, folder: kept })
}

/** A failed disposal hides the failure before it. */
function reasonsOf(error: unknown): string[] {
  if (error instanceof SuppressedError) return [...reasonsOf(error.suppressed), ...reasonsOf(error.error)]
  return [messageOf(error)]
}

async function strikeAndJudge(fault: Fault, options: Timed, rig: Rig): Promise<Omit<Judged, 'folder'>> {
  const load = createLoad(rig.layout)
  const findings: Finding[] = []
  const stage = createStage({ fault, options, rig, load, findings })
  let strikes: Strike[] = []
  let reason: string | null = null
  try {
    await stage.begin()
    strikes = await fault.strike(stage.scene)
    await load.untilEnded({ timeoutMs: options.deadlineMs, signal: options.deadline })
    await untilHealthy(stage.scene)
  } catch (error) {
    options.signal.throwIfAborted()
    const why = options.deadline.aborted ? `it was not over within ${options.deadlineMs / 1_000} s` : messageOf(error)
    reason = `could not be carried out to its end: ${why}`
  }
  findings.push(...(await stopAndLook(rig, stage.present(), options.signal)))
  const casualties = casualtiesOf(rig.launched())
  const verdict = await examine({ ...rig, expected: load.expected, casualties, mayTear: fault.mayTear })
  findings.push(...verdict.findings)
  const outcome = findings.length === 0 && reason === null ? 'passed' : 'failed'
  return { outcome, reason, findings, ...timesOf(strikes, verdict), ...pickCounts(verdict) }
}

type Stage = { scene: Scene; begin(): Promise<void>; present(): Instance | null }
type StageParts = { fault: Fault; options: Timed; rig: Rig; load: Load; findings: Finding[] }

function createStage({ fault, options, rig, load, findings }: StageParts): Stage {
  let serving: Instance | null = null
  const instance = () => {
    if (serving) return serving
    throw new AppError('unavailable', 'the program has not been started')
  }
  const adopt = (next: Instance) => {
    serving = next
  }
  const startAgain = async () => {
    adopt(await rig.start())
    return instance()
  }
  const add = (work: Work) => load.add(instance().api, work)
  const scene: Scene = {
    ...{ rig, load, instance, adopt, startAgain, add },
    random: options.random,
    signal: options.deadline,
    ours: options.work === undefined,
    found: (kind, text) => void findings.push({ kind, text }),
  }
  const begin = async () => {
    await startAgain()
    for (const work of worksFor(fault, options, rig)) await add(work)
  }
  return { scene, begin, present: () => serving }
}

function worksFor(fault: Fault, { work }: TrialOptions, { effects }: Rig): Work[] {
  if (work) return Array.from({ length: USER_PROJECTS }, () => work)
  const { projects, ...pace } = { ...PACE, ...fault.pace }
  return Array.from({ length: projects }, () => stepsWork({ effects, ...pace }))
}

async function untilHealthy({ instance, signal }: Scene): Promise<void> {
  const probe = async () => (await instance().api.status({ signal })).data.status === 'healthy'
  await until(probe, { timeoutMs: HEALTHY_MS, everyMs: 50, signal, what: 'the program to be healthy again' })
}

function timesOf(strikes: readonly Strike[], { histories }: Verdict): Pick<Trial, 'noticed_ms' | 'again_ms'> {
  const noticed = strikes.flatMap(({ noticedMs }) => noticedMs ?? [])
  const again = strikes.flatMap((strike) => recoveriesOf(histories, strike))
  return { noticed_ms: longest(noticed), again_ms: longest(again) }
}

function longest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(0, ...values)
}

function pickCounts({ projects, repeated }: Verdict): Pick<Trial, 'projects' | 'repeated'> {
  return { projects, repeated }
}
