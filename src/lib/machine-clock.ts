/** Milliseconds on a clock that all processes of this machine share, and that nobody sets: for moments told to others. */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}
