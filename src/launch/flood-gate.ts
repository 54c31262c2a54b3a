/** How much of what a process prints gets to the terminal: the rest is counted, and stands in its log. */

export type FloodGate = {
  /** False: this line is to be left out. */
  admits(name: string, line: string): boolean
}

export type FloodGateOptions = {
  linesPerS?: number
  charactersPerS?: number
  /** At the end of a second in which lines were left out. */
  onLeftOut(name: string, lines: number): void
}

const SECOND_MS = 1_000

export function createFloodGate(options: FloodGateOptions): FloodGate {
  const { linesPerS = 200, charactersPerS = 256 * 1024, onLeftOut } = options
  const counts = new Map<string, { lines: number; characters: number; leftOut: number }>()
  let timer: NodeJS.Timeout | undefined

  function endSecond(): void {
    timer = undefined
    const ended = [...counts]
    counts.clear()
    for (const [name, { leftOut }] of ended) if (leftOut > 0) onLeftOut(name, leftOut)
  }

  return {
    admits(name, line) {
      if (!timer) timer = setTimeout(endSecond, SECOND_MS).unref()
      const count = counts.get(name) ?? { lines: 0, characters: 0, leftOut: 0 }
      counts.set(name, count)
      count.lines += 1
      count.characters += line.length
      const fits = count.lines <= linesPerS && count.characters <= charactersPerS
      if (!fits) count.leftOut += 1
      return fits
    },
  }
}
