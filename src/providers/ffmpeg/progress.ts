/** Reads the lines of FFmpeg's `-progress`. */

/** The number of frames written so far, or undefined when the line says something else (or `N/A`). */
export function framesOf(line: string): number | undefined {
  const frames = /^frame=\s*(\d+)\s*$/.exec(line)?.[1]
  return frames === undefined ? undefined : Number(frames)
}
