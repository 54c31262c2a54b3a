/** How many of a queue's slots one process uses, so that several of a group share the work and not only the total. */

/** The shares of all add up to at least the total; Redis sees to it that there are never more jobs than that. */
export function shareOf(total: number, processes: number): number {
  return Math.ceil(total / Math.max(1, processes))
}
