/** How problems with settings are told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../src/config.ts'
import { tempFolder } from '../helpers/temp.ts'

test('an older name that stands for several settings is one problem', async (t) => {
  const cwd = await tempFolder(t)
  assert.throws(
    () => loadConfig({ env: { CELERY_WORKER_CONCURRENCY: 'many', PORT: 'x' }, cwd }),
    /^AppError: 2 settings are not valid:\n {2}PORT=x .*\n {2}CELERY_WORKER_CONCURRENCY=many \(environment\): expected .*$/,
  )
})
