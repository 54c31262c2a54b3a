/** What one viewer was told, held against the rules of live messages as it comes. */
import { ENDED } from '../../src/project/project.ts'
import type { Connected, Done, LiveMessage, Progress, Token } from '../../src/stream/events.ts'

export type LiveRecord = {
  take(message: LiveMessage): void
  /** By stage. */
  readonly texts: Map<string, string>
  /** Breaches of the rules; empty when all was well. */
  readonly problems: string[]
  /** Type and, where there is one, status of every message that is not text. */
  readonly said: string[]
  readonly done: Map<string, Done>
  readonly counts: { messages: number; connections: number; unrecovered: number }
  readonly last: LiveMessage | undefined
  /** The latest counted progress. */
  readonly progress: Progress | undefined
  readonly isOver: boolean
}

export type RecordOptions = {
  v: 1 | 2
  /** Called with the text of a stage whenever it has changed; what it returns is a problem. */
  check?: (text: string, stage: string) => string | undefined
  onToken?: (token: Token) => void
}

export function createLiveRecord({ v, check, onToken }: RecordOptions): LiveRecord {
  const texts = new Map<string, string>()
  const problems: string[] = []
  const said: string[] = []
  const done = new Map<string, Done>()
  const counts = { messages: 0, connections: 0, unrecovered: 0 }
  /** Stages whose text was told on this connection: from then on nothing may come twice. */
  const told = new Set<string>()
  let last: LiveMessage | undefined
  let progress: Progress | undefined
  let seq = 0
  let isOver = false

  const blame = (what: string, message: LiveMessage) =>
    void problems.push(`${what}: ${JSON.stringify(message).slice(0, 300)}`)

  function connected(message: Connected): void {
    counts.connections++
    seq = 0
    told.clear()
    if (message.recovered) return
    counts.unrecovered++
    texts.clear()
  }

  function token(message: Token): void {
    const { stage, offset, content, snapshot, full_text } = message
    const known = texts.get(stage) ?? ''
    const overlap = known.length - offset
    if (!content.isWellFormed()) blame('half a character', message)
    if (snapshot ? offset !== 0 : overlap < 0) blame('a gap', message)
    if (!snapshot && overlap > 0) {
      if (told.has(stage)) blame('told twice', message)
      const same = Math.min(overlap, content.length)
      if (known.slice(offset, offset + same) !== content.slice(0, same)) blame('another text', message)
    }
    const text = snapshot ? content : known + content.slice(Math.max(0, overlap))
    told.add(stage)
    texts.set(stage, text)
    if (v === 1 && full_text !== text.slice(0, offset + content.length)) blame('another full_text', message)
    if (v === 2 && full_text !== undefined) blame('full_text in a token of v=2', message)
    const wrong = check?.(text, stage)
    if (wrong !== undefined) blame(wrong, message)
    onToken?.(message)
  }

  function take(message: LiveMessage): void {
    counts.messages++
    last = message
    if (message.type === 'connected') connected(message)
    if (message.seq < seq) blame(`disorder after ${seq}`, message)
    seq = message.seq
    if (message.type === 'token') token(message)
    else event(message)
  }

  function event(message: Exclude<LiveMessage, Token>): void {
    said.push('status' in message ? `${message.type} ${message.status}` : message.type)
    if (message.type === 'done') {
      done.set(message.stage, message)
      if (message.full_text !== (texts.get(message.stage) ?? '')) blame('another text at the end', message)
    }
    if (message.type === 'progress') progress = message
    if (message.type === 'project_update') isOver = ENDED.has(message.status)
  }

  return {
    take,
    texts,
    problems,
    said,
    done,
    counts,
    get last() {
      return last
    },
    get progress() {
      return progress
    },
    get isOver() {
      return isOver
    },
  }
}
