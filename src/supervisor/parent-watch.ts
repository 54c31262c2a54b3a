/** Thread entry: ends the whole process group when the parent is gone, where the kernel cannot do it. */
import { workerData } from 'node:worker_threads'

const EVERY_MS = 250

const { parentPid } = workerData as { parentPid: number }

setInterval(() => {
  if (process.ppid === parentPid) return
  // Ours is a group of its own (spawned detached); process.exit would end only this thread.
  process.kill(-process.pid, 'SIGKILL')
}, EVERY_MS)
