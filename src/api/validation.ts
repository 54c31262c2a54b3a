/** Turns what Zod found wrong into our errors: a bad path is a 404, anything else a 422 with pointers. */
import type { z } from '@hono/zod-openapi'
import { AppError } from '../lib/errors.ts'
import type { FieldError } from './schemas/problem.ts'

type Place = FieldError['in']
type Result = { target: string; success: boolean; error?: z.core.$ZodError }

const PLACES: Record<string, Place> = { json: 'body', query: 'query', header: 'header' }

/** The hook that runs after each part of a request was checked. */
export function rejectInvalid({ target, success, error }: Result): void {
  if (success || !error) return
  // An id that cannot exist is an unknown one; saying more would describe our files.
  if (target === 'param') throw new AppError('not_found', 'There is nothing at this path')
  const errors = error.issues.flatMap((issue) => fieldErrors(issue, PLACES[target]))
  throw new AppError('invalid_value', summaryOf(errors), { details: { errors } })
}

function fieldErrors(issue: z.core.$ZodIssue, place: Place): FieldError[] {
  const path = issue.path.map(String)
  if (issue.code !== 'unrecognized_keys') return [{ in: place, pointer: pointerTo(path), detail: issue.message }]
  return issue.keys.map((key) => ({ in: place, pointer: pointerTo([...path, key]), detail: 'This field is not known' }))
}

/** JSON Pointer (RFC 6901) of a path of keys. */
export function pointerTo(path: readonly string[]): string {
  return path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function summaryOf(errors: FieldError[]): string {
  const first = errors[0]
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return first ? `${first.pointer.slice(1) || 'The value'}: ${first.detail}${more}` : 'A value is not valid'
}
