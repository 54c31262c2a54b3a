/** Who is killed when, and when which project is asked for: drawn from a seed before anything starts. Pure. */
import type { Pace } from './fault.ts'
import { pick, type Random } from './random.ts'

export type VictimKind = 'worker' | 'redis' | 'scheduler' | 'supervisor'

export type Kill = {
  kind: VictimKind
  /** Since the beginning. */
  atMs: number
  /** Chooses among several of a kind: from 0 up to 1. */
  among: number
  /** Also while the program is booting; others fall when it serves. */
  anytime: boolean
}

export type SoakPlan = { kills: Kill[]; projectsAtMs: number[]; pace: Omit<Pace, 'projects'> }

export type SoakWishes = { kills: number; projects: number; minutes: number }

/** Workers do the work, so they are hit most. */
const KINDS: readonly VictimKind[] = [
  ...(Array(5).fill('worker') as VictimKind[]),
  ...(Array(2).fill('redis') as VictimKind[]),
  ...(Array(2).fill('scheduler') as VictimKind[]),
  ...(Array(2).fill('supervisor') as VictimKind[]),
]

/** If all could strike in the middle of a boot, a slow machine would never come to its work. */
const ANYTIME_SHARE = 0.25

/** Projects are asked for in the first part; what they ask for fills most of the time, as far as slots go. */
const ASKING_SHARE = 0.6
const WORKING_SHARE = 0.6
const TEXT_SLOTS = 8
const TEXT_STAGES = 2
const STEP_MS = 200
const MAX_STEPS = 40

export function planSoak({ kills, projects, minutes }: SoakWishes, random: Random): SoakPlan {
  const totalMs = minutes * 60_000
  const moments = (count: number, shareMs: number) =>
    Array.from({ length: count }, () => Math.round(random() * shareMs)).sort((a, b) => a - b)
  const victim = () => ({ kind: pick(random, KINDS)!, among: random(), anytime: random() < ANYTIME_SHARE })
  return {
    kills: moments(kills, totalMs).map((atMs) => ({ atMs, ...victim() })),
    projectsAtMs: moments(projects, totalMs * ASKING_SHARE),
    pace: { steps: stepsFor(totalMs, projects), paceMs: STEP_MS },
  }
}

function stepsFor(totalMs: number, projects: number): number {
  const perStageMs = (totalMs * WORKING_SHARE * TEXT_SLOTS) / Math.max(1, projects) / TEXT_STAGES
  return Math.min(MAX_STEPS, Math.max(3, Math.round(perStageMs / STEP_MS)))
}
