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

/** What is in it beside the type nobody has looked at. */
export type ChildMessage = { type: string; [field: string]: unknown }

/** False for much of what a stage's own `process.send` may bring: a child runs code of others, which can send anything. */
export function isMessage(message: unknown): message is ChildMessage {
  return typeof message === 'object' && message !== null && 'type' in message && typeof message.type === 'string'
}

/** Undefined for a message that is not the supervisor's own. */
export function parseFromChild(message: ChildMessage): FromChild | undefined {
  return FROM_CHILD.has(message.type) ? (message as unknown as FromChild) : undefined
}
