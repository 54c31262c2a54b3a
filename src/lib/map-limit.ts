/** Several asynchronous pieces at once, but not too many. */

/**
 * Maps `items` with at most `limit` calls under way; results keep the order of the items.
 * After a failure no further call is begun, the running ones are awaited, and the first error is thrown.
 */
export async function mapLimit<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length)
  const failures: unknown[] = []
  let next = 0
  const lane = async () => {
    while (next < items.length && failures.length === 0) {
      const index = next++
      try {
        results[index] = await map(items[index]!, index)
      } catch (error) {
        failures.push(error) // thrown below, once the other lanes have ended
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, lane))
  if (failures.length > 0) throw failures[0]
  return results
}
