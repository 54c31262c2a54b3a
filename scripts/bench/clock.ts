/** Time that processes share: stages and jobs say when they ran, and we compare with our own clock. */

/** Milliseconds since 1970 with fractions; processes of one machine agree to some hundredths of a millisecond. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now()
}
