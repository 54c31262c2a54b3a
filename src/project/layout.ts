/** Where things lie in the data folder. */
import { join } from 'node:path'
import { AppError } from '../lib/errors.ts'
import { isId } from '../lib/ids.ts'

export type DataLayout = ReturnType<typeof dataLayout>

export function dataLayout(dataDir: string) {
  return {
    root: dataDir,
    projects: join(dataDir, 'projects'),
    /** One empty file per project that has not ended; boot and reconciler read only these. */
    open: join(dataDir, 'open'),
    published: join(dataDir, 'published'),
    leases: join(dataDir, 'leases'),
    idempotency: join(dataDir, 'idempotency'),
    redis: join(dataDir, 'redis'),
    logs: join(dataDir, 'logs'),
    catalog: join(dataDir, 'catalog.ndjson'),
    lock: join(dataDir, 'lock.db'),
    run: join(dataDir, 'run.json'),
    identity: join(dataDir, 'identity'),
    token: join(dataDir, 'token'),
  }
}

export type ProjectLayout = ReturnType<typeof projectLayout>

/** Throws `not_found` for anything that is not an id, before it can become a path. */
export function projectLayout(layout: DataLayout, id: string) {
  if (!isId(id)) throw new AppError('not_found', 'No such project')
  const folder = join(layout.projects, id)
  return {
    folder,
    journal: join(folder, 'journal.ndjson'),
    state: join(folder, 'project_state.json'),
    artifacts: join(folder, 'artifacts'),
    input: join(folder, 'input'),
    /** Private folders of attempts; nothing in them counts. */
    work: join(folder, 'work'),
    marker: join(layout.open, id),
    published: join(layout.published, id),
    /** Where the folder goes when the project is deleted; no id begins with a dot. */
    deleted: join(layout.projects, `.deleted-${id}`),
  }
}
