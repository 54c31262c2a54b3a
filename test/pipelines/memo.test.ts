/** What makes a remembered step count again, and what does not: the files of the stages before, and its own. */
import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import type { StageContext } from '../../src/pipelines/define.ts'
import { createProjectStore } from '../../src/project/store.ts'
import { createProject, openStore } from '../helpers/projects.ts'
import { perform, type Run } from './attempt.ts'

test('a stage that replaces the file of an earlier one knows its steps again after a crash', async (t) => {
  const { edit, paid, write } = await openCase(t)
  await write('draft')
  await edit()
  await edit()
  assert.deepEqual(paid, ['DRAFT'], 'bought once, and from what the earlier stage had written')
})

test('also when the crash came between the file and the step: what was done before it is not done again', async (t) => {
  const { edit, paid, write } = await openCase(t)
  await write('draft')
  await edit({ before: true })
  await edit({ before: true })
  assert.deepEqual(paid, ['outline', 'DRAFT'])
})

test('equal files count as the same in whatever order they were made; changed ones do not', async (t) => {
  const { project, edit, paid, write } = await openCase(t)
  const again = async () => {
    await project.append({ type: 'cancelled' })
    await project.append({ type: 'reopened' })
    await project.append({ type: 'rerun', stage: 'write', and_following: false })
  }
  await write('draft', ['a.txt', 'b.txt'])
  await edit({ put: false })
  await again()
  await write('draft', ['b.txt', 'a.txt'])
  await edit({ put: false })
  assert.deepEqual(paid, ['DRAFT'])
  await again()
  await write('other', ['a.txt', 'b.txt'])
  await edit({ put: false })
  assert.deepEqual(paid, ['DRAFT', 'OTHER'])
})

test('a file that the earlier stage no longer makes is forgotten', async (t) => {
  const { project, write } = await openCase(t)
  await write('draft', ['a.txt'])
  await project.append({ type: 'rerun', stage: 'write', and_following: false })
  await write('draft')
  assert.deepEqual(Object.keys(project.read().internals.write!.files), ['draft.md'])
})

test('a journal that was begun anew from the state file remembers the steps, too', async (t) => {
  const { project, edit, paid, write, store } = await openCase(t)
  await write('draft', ['a.txt'])
  await edit({ put: false })
  await project.refresh()
  await rm(project.paths.journal)
  await edit({ put: false }, await createProjectStore(store.layout).open(project.id))
  assert.deepEqual(paid, ['DRAFT'])
})

type Edit = { put?: boolean; before?: boolean }

/** The stage `write` puts a draft; `draw` buys a better one, puts it in its place, and is cut off. */
async function openCase(t: TestContext) {
  const store = await openStore(t)
  const project = await createProject(store)
  const paid: string[] = []
  const readDraft = ({ artifacts }: StageContext) => readFile(artifacts.path('draft.md'), 'utf8')
  const cutOff = () => Promise.reject(Object.assign(new Error('busy'), { status: 503 }))
  return {
    store,
    project,
    paid,
    async write(text: string, others: string[] = []) {
      const run: Run = async ({ artifacts }) => {
        await artifacts.put('draft.md', { data: text }, 'text/markdown')
        for (const name of others) await artifacts.put(name, { data: name }, 'text/plain')
      }
      assert.equal((await perform(project, run)).kind, 'completed')
    },
    async edit({ put = true, before = false }: Edit = {}, of = project) {
      const run: Run = async (context) => {
        const { step, artifacts } = context
        if (before) await step('outline', () => paid.push('outline'))
        const better = await step('edit', async () => {
          paid.push((await readDraft(context)).toUpperCase())
          return paid.at(-1)!
        })
        if (put) await artifacts.put('draft.md', { data: better }, 'text/markdown')
        return cutOff()
      }
      assert.equal((await perform(of, run, { stage: { name: 'draw', queue: 'image', run } })).kind, 'retry')
    },
  }
}
