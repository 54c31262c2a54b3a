/** The types that routes and middleware share: what one request carries. */
import type { HttpBindings } from '@hono/node-server'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { WebSocket } from 'ws'
import { AppError } from '../lib/errors.ts'
import type { Caller } from './auth.ts'

export type ApiEnv = {
  /** Absent when a test calls the app without a socket. */
  Bindings: Partial<HttpBindings> & {
    /** Only with a WebSocket handshake. */
    upgrade?: Upgrade
    /** Aborts when the server stops: what could wait for long ends then. */
    closing?: AbortSignal
  }
  Variables: { requestId: string; caller: Caller | undefined }
}

/** How a route accepts a handshake; its answer is then not sent. */
export type Upgrade = { accept(open: (socket: WebSocket) => void): void }

export type Api = OpenAPIHono<ApiEnv>
export type ApiContext = Context<ApiEnv>

/** Who asks, on a route that the gate lets nobody reach without a name. */
export function callerOf(c: ApiContext): Caller {
  const caller = c.get('caller')
  if (!caller) throw new AppError('unauthorized', 'This needs a token')
  return caller
}
