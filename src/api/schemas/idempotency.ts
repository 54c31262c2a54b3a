/** The Idempotency-Key header of creating requests: bare, or quoted as the IETF draft asks. */
import { z } from '@hono/zod-openapi'

export const IdempotencyHeaderSchema = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[\x20-\x7e]{1,255}$/, 'Use 1 to 255 printable ASCII characters')
    .transform((key) => /^"(.+)"$/.exec(key)?.[1] ?? key)
    .optional()
    .openapi({ description: 'The same key with the same body gives the same answer for 24 h', example: 'order-1' }),
})
