/** Finds the one JSON value in what a model said around it. */

/** Throws SyntaxError when there is none. */
export function extractJson(text: string): unknown {
  const said = text.replace(/<think>[\s\S]*?<\/think>/g, '').trim()
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/.exec(said)?.[1]
  for (const candidate of [said, fenced, balanced(said)]) {
    const value = candidate === undefined ? undefined : tryParse(candidate)
    if (value !== undefined) return value
  }
  throw new SyntaxError('the answer holds no JSON value')
}

/** Objects and arrays only: a lone word or number is talk. */
function tryParse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** From the first bracket to the one that closes it; brackets inside strings do not count. */
function balanced(text: string): string | undefined {
  const start = text.search(/[[{]/)
  if (start === -1) return undefined
  let depth = 0
  for (const match of text.slice(start).matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (match[0].startsWith('"')) continue
    depth += /[[{]/.test(match[0]) ? 1 : -1
    if (depth === 0) return text.slice(start, start + match.index + 1)
  }
  return undefined
}
