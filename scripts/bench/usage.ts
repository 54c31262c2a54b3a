/** Memory and CPU time of processes as the kernel counts them. Linux only. */
import { readdir, readFile } from 'node:fs/promises'
import { AppError } from '../../src/lib/errors.ts'

/** Proportional set size in MB (2^20 bytes): pages that processes share are divided among them. */
export async function pssMb(pid: number): Promise<number> {
  const kb = /^Pss:\s+(\d+) kB$/m.exec(await readProc(`/proc/${pid}/smaps_rollup`))?.[1]
  return Number(kb) / 1_024
}

/** Milliseconds on a CPU so far, of all its threads; the ticks in `stat` are ten times too coarse for idle processes. */
export async function cpuMs(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`)
  const texts = await Promise.all(threads.map((thread) => readProc(`/proc/${pid}/task/${thread}/schedstat`)))
  return texts.reduce((sum, text) => sum + Number(text.split(' ')[0]) / 1e6, 0)
}

export async function commandOf(pid: number): Promise<string> {
  const words = (await readProc(`/proc/${pid}/cmdline`)).split('\0')
  const entry = words.find((word) => /\.ts$/.test(word)) ?? words[0] ?? ''
  return entry.slice(entry.lastIndexOf('/') + 1)
}

async function readProc(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new AppError('unavailable', `${path} cannot be read: this needs Linux`, { cause: error })
  }
}
