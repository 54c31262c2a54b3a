/** A scene with processes that are only there to be hit, so that a test can say what the program makes of it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import type { Fault, Scene } from '../../src/chaos/fault.ts'
import { FAULTS } from '../../src/chaos/faults.ts'
import type { Exit, Fact } from '../../src/chaos/program.ts'
import type { Instance } from '../../src/chaos/rig.ts'
import { commandLineOf } from '../../src/chaos/victims.ts'
import { until } from '../../src/lib/until.ts'
import { dataLayout } from '../../src/project/layout.ts'
import { tempFolder } from '../helpers/temp.ts'

export type SceneOptions = {
  /** What the program says of itself, apart from the ends of those in `supervised`. */
  facts?: Fact[]
  /** Asked for each status: the workers by name. */
  workers?: () => Record<string, number>
  redis?: number
  scheduler?: number
  /** Of whose end the program tells. */
  supervised?: number[]
  /** How the program ends when it is asked to. */
  exit?: Exit
  /** What runs. */
  pids?: () => number[]
}

export async function fakeScene(t: TestContext, options: SceneOptions) {
  const found: { kind: string; text: string }[] = []
  const main = await fakeProcess(t)
  const facts = [...(options.facts ?? [])]
  const instance = {
    pid: main.pid!,
    url: 'http://127.0.0.1:1',
    facts,
    exited: () => null,
    signal: (name: NodeJS.Signals) => void main.kill(name),
    tail: () => '',
    ended: async () => options.exit ?? { code: 0, signal: null },
    async said(test: (fact: Fact) => boolean) {
      const ends = (options.supervised ?? []).map((pid) => ({ type: 'child_exited', pid, atMs: Date.now() }))
      const fact = [...facts, ...ends].find(test)
      if (fact) return fact
      throw new Error('the program does not say so')
    },
    api: { status: async () => ({ data: { services: servicesOf(options) } }) },
  } as unknown as Instance
  const stage = { project: 'p', stage: 's', attempt: 1, steps: 1, updatedMs: 0 }
  const scene = {
    rig: { pids: async () => options.pids?.() ?? [], layout: dataLayout(await tempFolder(t)), effects: '' },
    load: {
      untilRunning: async () => ({ ...stage, owner: { pid: main.pid, worker: 'io-1' } }),
      running: () => [stage],
      open: () => [],
    },
    random: () => 0,
    signal: new AbortController().signal,
    ours: false,
    instance: () => instance,
    startAgain: async () => instance,
    adopt() {},
    found: (kind: string, text: string) => void found.push({ kind, text }),
  } as unknown as Scene
  return { scene, found, instance, facts }
}

/** Does nothing until it is ended. */
export async function fakeProcess(t: TestContext): Promise<ChildProcess> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  // The kernel closes what `spawn` waits for a moment before the new command line can be read.
  const isNamed = () => commandLineOf(child.pid!).startsWith('sleep')
  await until(isNamed, { timeoutMs: 10_000, everyMs: 1, what: 'the command line of a process' })
  return child
}

export function faultOf(id: string): Fault {
  const fault = FAULTS.find((one) => one.id === id)
  if (fault) return fault
  throw new Error(`There is no fault ${id}`)
}

function servicesOf({ workers = () => ({}), redis, scheduler }: SceneOptions) {
  const list = Object.entries(workers()).map(([name, pid]) => ({ name, pid }))
  return { redis: { pid: redis ?? null }, scheduler: { pid: scheduler ?? null }, worker: { workers: list } }
}
