/** All projects of a data folder: create, open, remove, and the markers of those that have not ended. */
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, errnoOf, isDiskError } from '../lib/errors.ts'
import { ensureFolder, removeTemps, syncFolder, writeAtomic } from '../lib/files.ts'
import { isAlive } from '../lib/process-tree.ts'
import { isGone, unreadable } from './artifacts.ts'
import { deleteProject, finishDeletion, isDeleted, windDown } from './deletion.ts'
import type { Folded } from './folded.ts'
import { type Journal, openJournal } from './journal.ts'
import { type DataLayout, type ProjectLayout, projectLayout } from './layout.ts'
import { exists, isYoung, mark, unmark } from './markers.ts'
import { ACTIVE, ENDED } from './project.ts'
import type { RecordBody } from './records.ts'
import { createStateFile, readStateFile, type StateFile } from './state-file.ts'
import { hasWork, removeDeadWork } from './work.ts'

/** Values over so many bytes of JSON become files. */
export const INLINE_LIMIT = 16 * 1024

export type Project = {
  readonly id: string
  readonly paths: ProjectLayout
  read(): Folded
  /** Appends to the journal, then brings state file and marker up to date. Returns the state after it. */
  append(record: RecordBody, options?: { sync?: boolean }): Promise<Folded>
  /** The input, wherever it lies; with a stage's name the one that this stage was given for itself, if it was. */
  input(stage?: string): Promise<unknown>
  /** Keeps a value for a record: inline, or in a file of that name under `input/` when it is over 16 KB. */
  keep(value: unknown, name: string): Promise<Kept>
  /** Brings the state file up to the journal. */
  refresh(): Promise<void>
  /** As the state file's. */
  settle(): Promise<void>
  /** Lines of the journal that nobody can read. */
  skipped(): number
}

export type NewProject = {
  id: string
  pipeline: string
  title: string
  owner: string
  input: unknown
  stages: { name: string; queue: string }[]
  autostart: boolean
}

export type ProjectStore = {
  readonly layout: DataLayout
  /** Opens the project when this id exists already, so that a repeated request creates nothing twice. */
  create(request: NewProject): Promise<Project>
  /** Throws `not_found`. A lost journal is begun anew from the state file. */
  open(id: string): Promise<Project>
  /** Ids of the projects that have not ended. */
  openIds(): Promise<string[]>
  /**
   * When this resolves there is no such project. Stages that were cancelled have a moment to wind down before; throws
   * `wrong_state` when the project was begun anew in it.
   */
  remove(id: string): Promise<void>
  /**
   * Removes the marker of an ended project, with the private folders of its attempts, or what a crash left of one that
   * was never begun or has been deleted. The marker stays for a later look while a program still writes there.
   */
  closeMarker(id: string): Promise<void>
  /** For a process that is about to end: no state file is left half-written. */
  settle(): Promise<void>
}

/** How many folded journals one process keeps. */
const CACHE_SIZE = 1_000

export function createProjectStore(layout: DataLayout): ProjectStore {
  const cache = new Map<string, Project>()

  function remember(project: Project): Project {
    cache.delete(project.id)
    cache.set(project.id, project)
    const [oldest] = cache.keys()
    if (cache.size > CACHE_SIZE && oldest) cache.delete(oldest)
    return project
  }

  return {
    layout,
    async create(request) {
      const paths = projectLayout(layout, request.id)
      if (await exists(paths.journal)) return this.open(request.id)
      try {
        return remember(await begin(layout, paths, request))
      } catch (error) {
        await this.remove(request.id).catch(() => {}) // why it could not be made is what the caller has to know
        throw error
      }
    },
    async open(id) {
      const known = cache.get(id)
      if (known && (await exists(known.paths.journal))) return remember(known)
      const paths = projectLayout(layout, id)
      const project = makeProject(layout, id)
      if (!(await exists(paths.journal))) await recover(paths, project)
      project.read()
      return remember(project)
    },
    async openIds() {
      return readdir(layout.open).catch((error) => (errnoOf(error) === 'ENOENT' ? [] : Promise.reject(error)))
    },
    async remove(id) {
      const paths = projectLayout(layout, id)
      await windDown(paths)
      const project = await this.open(id).catch(ignoreMissing)
      if (project && ACTIVE.has(project.read().state.status))
        throw new AppError('wrong_state', `Project ${id} was begun anew meanwhile`)
      await deleteProject(layout, paths)
      cache.delete(id)
    },
    async closeMarker(id) {
      const paths = projectLayout(layout, id)
      const project = await this.open(id).catch(ignoreMissing)
      if (!project) {
        // It may be under creation this very moment.
        if ((await isDeleted(paths)) || !(await isYoung(paths.marker))) await finishDeletion(paths)
        return
      }
      if (!ENDED.has(project.read().state.status)) return
      await project.refresh() // a full disk or a crash may have kept the last record out of the state file
      await removeTemps(paths.folder, (pid) => !isAlive({ pid, started: '' })) // of the one that crashed
      if (!(await removeDeadWork(project)) && (await isYoung(paths.work))) return
      await unmark(paths)
      // Reopened between our look and the removal: then the marker comes back.
      if (!ENDED.has(project.read().state.status)) await mark(layout, paths)
    },
    async settle() {
      await Promise.all([...cache.values()].map((project) => project.settle()))
    },
  }
}

async function begin(layout: DataLayout, paths: ProjectLayout, request: NewProject): Promise<Project> {
  const { id, pipeline, title, owner, stages, autostart } = request
  await mark(layout, paths)
  await makeFolders(layout, paths)
  const input = await storeInput(paths, request.input, 'input.json')
  const project = makeProject(layout, id)
  await project.append({ type: 'created', id, pipeline, title, owner, batch_id: null, input, stages, autostart })
  return project
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof AppError && error.code === 'not_found') return undefined
  throw error
}

function makeProject(layout: DataLayout, id: string): Project {
  const paths = projectLayout(layout, id)
  const journal = openJournal(paths.journal)
  const stateFile = createStateFile(paths.state, journal)
  return {
    id,
    paths,
    read: journal.read,
    skipped: journal.skipped,
    refresh: stateFile.refresh,
    settle: stateFile.settle,
    async append(record, options) {
      if (REOPENING.has(record.type)) await mark(layout, paths)
      const folded = await journal.append(record, options)
      if (FREQUENT.has(record.type)) stateFile.refreshSoon()
      else await stateFile.refresh().catch(orLater(stateFile))
      if (ENDED.has(folded.state.status)) await closeOwnMarker(layout, paths, journal)
      else if (REOPENING.has(record.type)) await mark(layout, paths)
      return journal.read()
    },
    input: (stage) => readInput(paths, inputOf(journal.read(), stage)),
    keep: (value, name) => storeInput(paths, value, name),
  }
}

/** The record counts already: a state file for which the disk has no room is written when it has. */
function orLater(stateFile: StateFile): (error: unknown) => void {
  return (error) => {
    if (!isDiskError(error)) throw error
    stateFile.refreshSoon()
  }
}

/** Records after which an ended project may be open again. */
const REOPENING = new Set<RecordBody['type']>(['created', 'reopened', 'rerun', 'demoted', 'queued', 'executed'])
/** Records that come often; the journal has them, the state file follows a little later. */
const FREQUENT = new Set<RecordBody['type']>(['progress', 'artifact', 'step', 'intent', 'called', 'spent'])

/**
 * An attempt that still winds down keeps the marker: should all be killed before it has left its folder, a later start
 * finds that. A request may reopen the project between the record and the removal: then the marker comes back.
 */
async function closeOwnMarker(layout: DataLayout, paths: ProjectLayout, journal: Journal): Promise<void> {
  if (await hasWork(paths)) return
  await unmark(paths)
  if (!ENDED.has(journal.read().state.status)) await mark(layout, paths)
}

async function makeFolders(layout: DataLayout, paths: ProjectLayout): Promise<void> {
  await mkdir(paths.artifacts, { recursive: true })
  await syncFolder(paths.folder)
  await syncFolder(layout.projects)
}

/** `file` is relative to the project's folder. */
export type Kept = { value: unknown } | { file: string }

async function storeInput(paths: ProjectLayout, input: unknown, name: string): Promise<Kept> {
  const json = JSON.stringify(input)
  if (Buffer.byteLength(json) <= INLINE_LIMIT) return { value: input }
  await ensureFolder(paths.input)
  await writeAtomic(join(paths.input, name), json) // a full disk leaves nothing of it
  return { file: `input/${name}` }
}

function inputOf(folded: Folded, stage: string | undefined): Kept {
  const own = folded.state.stages.find((s) => s.name === stage)?.own_input
  const { input, input_file } = folded.state
  return own ?? (input_file === null ? { value: input } : { file: input_file })
}

async function readInput(paths: ProjectLayout, input: Kept): Promise<unknown> {
  if ('value' in input) return input.value
  try {
    return JSON.parse(await readFile(join(paths.folder, input.file), 'utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError || isGone(error))) throw unreadable(input.file, error)
    throw new AppError('artifact_missing', `The input file ${input.file} is gone or damaged`, { cause: error })
  }
}

async function recover(paths: ProjectLayout, project: Project): Promise<void> {
  const state = await readStateFile(paths.state)
  if (state?.id !== project.id) throw new AppError('not_found', 'No such project')
  await project.append({ type: 'recovered', state })
}
