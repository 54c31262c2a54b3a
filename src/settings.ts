/** Fixed numbers that settings start from. No schema library in here: every child process imports this file. */

export type QueueName = 'llm' | 'image' | 'video' | 'ai_analysis' | 'batch_processing' | 'maintenance' | 'health'

/** `concurrency` is the default total over all processes, `nice` the priority of subprocesses, as nice(1). */
export type QueueFacts = { serves: string; concurrency: number; nice: number }

export const QUEUES: Readonly<Record<QueueName, QueueFacts>> = {
  llm: { serves: 'text stages', concurrency: 8, nice: 0 },
  image: { serves: 'image stages', concurrency: 4, nice: 5 },
  video: { serves: 'render, image2video, thumbnail, upload', concurrency: 1, nice: 10 },
  ai_analysis: { serves: 'audio analysis', concurrency: 2, nice: 0 },
  batch_processing: { serves: 'batches', concurrency: 2, nice: 5 },
  maintenance: { serves: 'quota sync, clean-up', concurrency: 1, nice: 10 },
  health: { serves: 'round-trip tests', concurrency: 1, nice: 0 },
}

export const QUEUE_NAMES = Object.keys(QUEUES) as QueueName[]

/** What older installations call a queue. */
export const QUEUE_ALIASES: Readonly<Record<string, QueueName>> = { video_generation: 'video' }

/** For how long a worker owns a job without renewing; `HANG_KILL_S` must stay below its half. */
export const LOCK_DURATION_S = 30

export const DEFAULT_WORKERS = 'llm,image,batch_processing,maintenance,health:1 video,ai_analysis:1'

/** In the data folder: the token that `--new-token` made. */
export const TOKEN_FILE = 'token'

/** Holds the pid of the `showrunner` command for the server that it starts. */
export const LAUNCHER_PID = 'SHOWRUNNER_LAUNCHER_PID'

export function isQueueName(name: string): name is QueueName {
  return Object.hasOwn(QUEUES, name)
}
