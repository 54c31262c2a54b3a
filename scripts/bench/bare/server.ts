/** A bare Hono with one JSON route, on the server that ours uses. */
import { readFileSync } from 'node:fs'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const body: unknown = JSON.parse(readFileSync(process.argv[2]!, 'utf8'))
const app = new Hono().get('/status', (c) => c.json(body as Record<string, unknown>))
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  process.stdout.write(`${JSON.stringify({ port })}\n`)
})
process.on('SIGINT', () => server.close(() => process.exit(0)))
