/** GET and HEAD of a project's files: from disk, in parts, revalidated by content hash. */
import { open } from 'node:fs/promises'
import { createRoute, z } from '@hono/zod-openapi'
import { AppError, errnoOf } from '../../lib/errors.ts'
import type { ArtifactState } from '../../project/project.ts'
import { readOwned } from '../access.ts'
import { type Api, type ApiContext, callerOf } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { fileHeaders } from '../disposition.ts'
import { streamFile } from '../file-stream.ts'
import { allowsRange, type ByteRange, matchesNone, parseRange } from '../range.ts'
import { IdSchema } from '../schemas/common.ts'
import { problems } from '../schemas/problem.ts'

const file = { '*/*': { schema: z.string().openapi({ format: 'binary' }) } }
const headers = z.object({ ETag: z.string(), 'Accept-Ranges': z.literal('bytes') })

const route = createRoute({
  method: 'get',
  path: '/api/v1/projects/{id}/artifacts/{name}',
  summary: 'A file that a stage made',
  description: 'HEAD works too. Understands Range (one range), If-Range and If-None-Match.',
  tags: ['projects'],
  request: { params: z.object({ id: IdSchema, name: z.string().min(1).max(255) }) },
  responses: {
    200: { description: 'The file', headers, content: file },
    206: { description: 'The part asked for', headers: headers.extend({ 'Content-Range': z.string() }), content: file },
    304: { description: 'Not modified' },
    ...problems('unauthorized', 'not_found', 'artifact_missing', 'range_not_satisfiable'),
  },
})

export function addArtifactRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(route, async (c) => {
    const { id, name } = c.req.valid('param')
    if (!callerOf(c).operator) await readOwned(deps, id, callerOf(c))
    const found = await deps.projects.artifact(id, name)
    if (!found) throw new AppError('not_found', 'This project has no such file')
    return answer(c, found.path, found.artifact)
  })
}

async function answer(c: ApiContext, path: string, artifact: ArtifactState): Promise<Response> {
  const etag = `"${artifact.sha256}"`
  // Kept by the browser, but asked for again each time: a rerun may replace what a name stands for.
  const shared = { ETag: etag, 'Cache-Control': 'private, no-cache' }
  if (matchesNone(c.req.header('if-none-match'), etag)) return c.body(null, 304, shared)
  const handle = await openFile(path)
  try {
    const { size } = await handle.stat()
    const range = wantedRange(c, size, etag)
    const body =
      c.req.method === 'HEAD' || size === 0 ? undefined : streamFile(handle, range ?? { start: 0, end: size - 1 })
    if (!body) await handle.close()
    const all = { ...shared, ...fileHeaders(artifact.name, artifact.mime), ...sizeHeaders(size, range) }
    return new Response(body ?? null, { status: range ? 206 : 200, headers: all })
  } catch (error) {
    await handle.close().catch(() => {}) // the first error is the one that matters
    throw error
  }
}

/** Range is defined for GET only (RFC 9110, 14.2). */
function wantedRange(c: ApiContext, size: number, etag: string): ByteRange | undefined {
  if (c.req.method !== 'GET' || !allowsRange(c.req.header('if-range'), etag)) return undefined
  const range = parseRange(c.req.header('range'), size)
  if (range !== 'unsatisfiable') return range
  throw new AppError('range_not_satisfiable', `The file has ${size} bytes`, {
    details: { content_range: `bytes */${size}` },
  })
}

function sizeHeaders(size: number, range: ByteRange | undefined): Record<string, string> {
  if (!range) return { 'Accept-Ranges': 'bytes', 'Content-Length': String(size) }
  return {
    'Accept-Ranges': 'bytes',
    'Content-Length': String(range.end - range.start + 1),
    'Content-Range': `bytes ${range.start}-${range.end}/${size}`,
  }
}

async function openFile(path: string) {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT')
      throw new AppError('artifact_missing', 'The file is gone from the disk', { cause: error })
    throw error
  }
}
