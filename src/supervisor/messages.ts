/** The IPC protocol between the supervisor and a node child. */

/** `payload` and `beat` belong to whoever uses the supervisor. */
export type ToChild =
  | { type: 'go'; payload: unknown }
  | { type: 'drain'; payload: unknown }
  /** The user is impatient: give work back and end within two seconds. */
  | { type: 'hurry' }

export type FromChild =
  | { type: 'ready'; facts: unknown }
  | { type: 'beat'; beat: unknown }
  /** The last message: when it has left, everything before it has. */
  | { type: 'goodbye' }

const FROM_CHILD = new Set<unknown>(['ready', 'beat', 'goodbye'])

/** Undefined for a message that is not the supervisor's own. */
export function parseFromChild(message: unknown): FromChild | undefined {
  const type = (message as { type?: unknown } | null)?.type
  return FROM_CHILD.has(type) ? (message as FromChild) : undefined
}
