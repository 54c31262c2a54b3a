/** The verdict on a whole data folder once nothing runs: its projects, its lock, its port, its processes. */
import { statSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { basename, join, relative } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { errnoOf, messageOf } from '../lib/errors.ts'
import { acquireLock } from '../lib/lock.ts'
import { hashFile } from '../project/artifacts.ts'
import { openJournal } from '../project/journal.ts'
import { type DataLayout, type ProjectLayout, projectLayout } from '../project/layout.ts'
import { ENDED, type ProjectState } from '../project/project.ts'
import { auditProject, type Expectation, type Finding, repeatsOf } from './audit.ts'
import type { Casualties } from './casualties.ts'
import { readEffects } from './effects.ts'
import { type History, historyOf } from './history.ts'

export type Examination = {
  layout: DataLayout
  effects: string
  /** The projects that the program has accepted, and how each should have ended. */
  expected: ReadonlyMap<string, Expectation>
  /** Who may have been ended in the middle of a write; nobody when not given. */
  casualties?: Casualties
  /** The disk was full: then torn lines are the design. */
  mayTear?: boolean
}

export type Verdict = {
  projects: number
  findings: Finding[]
  histories: History[]
  /** Steps that were begun again; null when no stage says what it does. */
  repeated: number | null
}

export async function examine(examination: Examination): Promise<Verdict> {
  const { layout, expected, casualties = NOBODY } = examination
  const effects = readEffects(examination.effects)
  const read = await Promise.all([...expected].map(([id, ends]) => readProject(projectLayout(layout, id), ends)))
  const whole = read.flatMap((one) => (one.error === null ? [one] : []))
  const torn = whole.reduce((sum, { history }) => sum + history.torn, 0)
  const mayTear = examination.mayTear === true || torn <= casualties.writers
  const findings: Finding[] = read.flatMap(({ id, error }) =>
    error === null ? [] : [{ kind: 'lost', text: `project ${id} cannot be read: ${error}` }],
  )
  for (const { history, state, paths, expected: ends } of whole) {
    findings.push(...auditProject({ history, state, effects, expected: ends, mayTear }))
    findings.push(...(await fileFindings(paths, state)))
  }
  findings.push(...(await strangers(layout, expected)), ...(await openMarkers(layout)))
  findings.push(...(await halfWritten(layout, casualties)))
  const histories = whole.map(({ history }) => history)
  return { projects: expected.size, findings, histories, repeated: effects.length === 0 ? null : repeatsOf(effects) }
}

const NOBODY: Casualties = { writers: 0, writersSince: 0, lastStartMs: 0 }

async function readProject(paths: ProjectLayout, expected: Expectation) {
  const id = basename(paths.folder)
  try {
    const history = historyOf(await readFile(paths.journal, 'utf8'))
    const { state } = openJournal(paths.journal).read()
    return { id, paths, expected, history, state, error: null }
  } catch (error) {
    return { id, error: messageOf(error) }
  }
}

/** As lib/files.ts names what it will rename: `.<name>.<pid>.<hex>.tmp`. */
const HALF_WRITTEN = /^\..+\.\d+\.[0-9a-f]{8}(\.tmp)?$/

/** Whoever is killed may leave one; the next start removes it. */
async function halfWritten({ root }: DataLayout, { writersSince, lastStartMs }: Casualties): Promise<Finding[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const names = entries.flatMap((entry) =>
    entry.isFile() && HALF_WRITTEN.test(entry.name) ? [join(entry.parentPath, entry.name)] : [],
  )
  const isExcused = (name: string) => writersSince > 0 && statSync(name).mtimeMs >= lastStartMs
  return names
    .filter((name) => !isExcused(name))
    .map((name) => ({ kind: 'left', text: `the file ${relative(root, name)} of a write that was interrupted` }))
}

/** What a state file and the artifacts must be after every stop: whole, and what the journal says. */
export async function fileFindings(paths: ProjectLayout, state: ProjectState): Promise<Finding[]> {
  const findings: Finding[] = []
  const written = await readWritten(paths.state)
  if (written === undefined) findings.push({ kind: 'torn', text: `the state file of ${state.id} does not parse` })
  else {
    const parts = differing(written, JSON.parse(JSON.stringify(state)))
    const text = `the state file of ${state.id} is not what its journal says (${parts.join(', ')})`
    if (parts.length > 0) findings.push({ kind: 'torn', text })
  }
  for (const { name, file, sha256 } of state.artifacts) {
    const actual = await hashFile(join(paths.artifacts, file)).catch(() => null) // a missing file has no hash
    if (actual === null) findings.push({ kind: 'lost', text: `the file ${name} of ${state.id} is gone` })
    else if (actual !== sha256)
      findings.push({ kind: 'torn', text: `the file ${name} of ${state.id} is not what was recorded` })
  }
  return findings
}

function differing(written: Record<string, unknown>, folded: Record<string, unknown>): string[] {
  const keys = [...new Set([...Object.keys(written), ...Object.keys(folded)])]
  return keys.filter((key) => !isDeepStrictEqual(written[key], folded[key]))
}

async function readWritten(path: string): Promise<Record<string, unknown> | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  } catch (error) {
    if (error instanceof SyntaxError || errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** A request that was repeated after a cut must not have made a second project. */
async function strangers(layout: DataLayout, expected: ReadonlyMap<string, unknown>): Promise<Finding[]> {
  const ids = await namesIn(layout.projects)
  return ids
    .filter((id) => !expected.has(id))
    .map((id) => ({ kind: 'doubled', text: `project ${id} was made, and nobody was told of it` }))
}

async function openMarkers(layout: DataLayout): Promise<Finding[]> {
  const ids = await namesIn(layout.open)
  const ended = ids.filter((id) => isEnded(layout, id))
  return ended.map((id) => ({ kind: 'left', text: `the marker of project ${id}, which has ended` }))
}

function isEnded(layout: DataLayout, id: string): boolean {
  try {
    return ENDED.has(openJournal(projectLayout(layout, id).journal).read().state.status)
  } catch {
    return false // no project, so nothing that could have ended; a stranger is named elsewhere
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

/** After a stop somebody else must be able to have the folder and the port. */
export async function lockFindings(layout: DataLayout, url: string | null): Promise<Finding[]> {
  const findings: Finding[] = []
  const lock = await acquireLock(layout.lock)
  if (lock) lock.release()
  else findings.push({ kind: 'left', text: 'the lock on the data folder' })
  if (url !== null && (await answers(Number(new URL(url).port))))
    findings.push({ kind: 'left', text: `somebody who listens at ${url}` })
  return findings
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => end(true)).once('error', () => end(false))
    socket.setTimeout(1_000, () => end(true)) // it neither refuses nor greets: something is there
  })
}
