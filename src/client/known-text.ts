/** What a client has of each stage's text, so that it takes every token once, whatever was sent again. */
import type { LiveMessage, Token } from '../stream/events.ts'

export type KnownText = {
  /** The message without what is known already; undefined when that is all; `gap` when something before it is missing. */
  take(message: LiveMessage): LiveMessage | 'gap' | undefined
}

export function createKnownText(): KnownText {
  const lengths = new Map<string, number>()
  return {
    take(message) {
      if (message.type === 'connected' && !message.recovered) lengths.clear()
      if (message.type === 'done') lengths.set(message.stage, message.full_text.length)
      return message.type === 'token' ? takeToken(lengths, message) : message
    },
  }
}

function takeToken(lengths: Map<string, number>, token: Token): Token | 'gap' | undefined {
  const { stage, offset, content } = token
  const end = offset + content.length
  // Of a stage not seen yet we know nothing: whoever resumes has the text before it.
  const known = lengths.get(stage) ?? offset
  if (!token.snapshot && offset > known) return 'gap'
  if (!token.snapshot && end <= known && content !== '') return undefined
  lengths.set(stage, end)
  return token.snapshot || offset === known
    ? token
    : { ...token, content: content.slice(known - offset), offset: known }
}
