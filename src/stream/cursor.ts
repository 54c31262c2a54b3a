/** A place in a project's stream as clients write it: `<epoch>-<seq>`. */

export type Cursor = { epoch: string; seq: number }

const PATTERN = /^([a-z0-9]{1,64})-(\d{1,15})$/

export function parseCursor(text: string | undefined): Cursor | undefined {
  const match = PATTERN.exec(text ?? '')
  return match ? { epoch: match[1]!, seq: Number(match[2]) } : undefined
}

export function formatCursor({ epoch, seq }: Cursor): string {
  return `${epoch}-${seq}`
}
