/** Server-sent events out of text (WHATWG HTML 9.2.6), as far as our server uses them: `data` and `id`. */

export type ParsedEvent = { data: string; id: string | undefined }

/** The function takes chunks as they come and gives the events that are complete. */
export function createEventParser(): (chunk: string) => ParsedEvent[] {
  let rest = ''
  let data: string[] = []
  let id: string | undefined
  const read = (line: string): ParsedEvent | undefined => {
    if (line === '') {
      const event = data.length === 0 ? undefined : { data: data.join('\n'), id }
      data = []
      id = undefined
      return event
    }
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') data.push(value)
    if (field === 'id') id = value
    return undefined
  }
  return (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    return lines.map((line) => read(line.replace(/\r$/, ''))).filter((event) => event !== undefined)
  }
}
