/** Reads the lines of FFmpeg's `-progress`. */

/** The number of frames written so far, or undefined when the line says something else (or `N/A`). */
export function framesOf(line: string): number | undefined {
  return numberOf(line, 'frame')
}

/** The position in the output in seconds, or undefined. */
export function positionOf(line: string): number | undefined {
  const us = numberOf(line, 'out_time_us')
  return us === undefined ? undefined : us / 1e6
}

function numberOf(line: string, key: string): number | undefined {
  if (!line.startsWith(`${key}=`)) return undefined
  const value = line.slice(key.length + 1).trim()
  return /^\d+$/.test(value) ? Number(value) : undefined
}
