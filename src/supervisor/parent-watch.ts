/** Ends the whole process group when the parent is gone, where the kernel cannot do it. Runs in a thread of its own. */

const EVERY_MS = 250

export function endWithParent(parentPid: number): void {
  setInterval(() => {
    if (process.ppid === parentPid) return
    // Ours is a group of its own (spawned detached); process.exit would end only this thread.
    process.kill(-process.pid, 'SIGKILL')
  }, EVERY_MS)
}
