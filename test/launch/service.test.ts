/** The end of the API: what its store was writing is written, for the process ends next. Redis is away all the time. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { loadConfig } from '../../src/config.ts'
import { type ServiceOptions, startService } from '../../src/launch/service.ts'
import { dataLayout } from '../../src/project/layout.ts'
import { SETTLE_MS } from '../../src/project/state-file.ts'
import { createPlace } from '../../src/redis/place.ts'
import { createProject } from '../helpers/projects.ts'
import { tempFolder } from '../helpers/temp.ts'

test('a state file that is being written when the API stops is written to its end', async (t) => {
  const folder = await tempFolder(t)
  const service = await startService({
    config: loadConfig({ env: { DATA_DIR: folder, PORT: '0' }, cwd: folder }),
    version: '0',
    startedMs: 0,
    layout: dataLayout(folder),
    dataId: 'd',
    place: createPlace('redis://127.0.0.1:1/0', 'attached'),
    supervisor: { status: () => [], send: () => false },
    workerSpec: () => assert.fail('no worker is asked for'),
    held: () => [],
    nudge() {},
    phase: () => 'stopping',
    records: { logs: {} },
    onFact() {},
  } as unknown as ServiceOptions)
  const project = await createProject(service.store)
  const written: string[] = []
  const startedMs = performance.now()
  const stopped = service.stop(0)
  // One write after the other, so that the last ones begin long after the stop has.
  void project.refresh().then(() => written.push('first'))
  void project.refresh().then(() => written.push('second'))
  await stopped
  if (performance.now() - startedMs >= SETTLE_MS) return t.skip('the disk was slower than a stop may wait')
  assert.deepEqual(written, ['first', 'second'])
  assert.deepEqual(
    readdirSync(project.paths.folder).filter((name) => name.endsWith('.tmp')),
    [],
  )
})
