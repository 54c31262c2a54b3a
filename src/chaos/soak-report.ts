/** What a soak comes to: kills and recoveries by kind of victim, and what was found. Pure. */
import type { Finding } from './audit.ts'
import type { Verdict } from './examine.ts'
import type { Fact } from './program.ts'
import { medianOf, recoveriesOf, type Strike } from './recovery.ts'
import type { VictimKind } from './soak-plan.ts'

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

export type Hit = Strike & { kind: VictimKind }

export type SoakFacts = {
  seed: string
  planned: number
  hits: readonly Hit[]
  starts: number
  findings: readonly Finding[]
  verdict: Verdict
  /** What the program said in all its starts. */
  facts: readonly Fact[]
}

const KINDS: readonly VictimKind[] = ['worker', 'redis', 'scheduler', 'supervisor']

export function reportSoak(soak: SoakFacts): Omit<SoakReport, 'took_ms' | 'folder'> {
  const { seed, planned, hits, starts, verdict } = soak
  const missed = planned - hits.length
  const findings = [...soak.findings, ...missedFindings(missed, planned), ...verdict.findings]
  return {
    ok: findings.length === 0,
    seed,
    kills: hits.length,
    missed,
    starts,
    projects: verdict.projects,
    repeated: verdict.repeated,
    victims: KINDS.map((kind) => victimReport(kind, soak)),
    findings,
  }
}

/** Now and then somebody is just on the way back; more than that, and what was asked for has not been done. */
const MAY_MISS_SHARE = 0.05

function missedFindings(missed: number, planned: number): Finding[] {
  if (missed <= planned * MAY_MISS_SHARE) return []
  return [{ kind: 'wrong', text: `${missed} of ${planned} kills found nobody to kill` }]
}

function victimReport(kind: VictimKind, soak: SoakFacts): VictimReport {
  const hits = soak.hits.filter((hit) => hit.kind === kind)
  const times = hits.flatMap((hit) => {
    const all = kind === 'scheduler' ? readyAfter(soak.facts, hit) : recoveriesOf(soak.verdict.histories, hit)
    return all.length === 0 ? [] : [Math.max(...all)]
  })
  const longest = times.length === 0 ? null : Math.max(...times)
  return { kind, kills: hits.length, median_ms: medianOf(times), longest_ms: longest }
}

/** The scheduler runs no stages: what it does goes on when it is ready again. */
function readyAfter(facts: readonly Fact[], { kind, atMs }: Hit): number[] {
  const ready = facts.find((fact) => fact.type === 'child_ready' && fact.name === kind && fact.atMs > atMs)
  return ready ? [ready.atMs - atMs] : []
}
