/** Every key and channel name in Redis. */

export type RedisKeys = {
  /** Prefix of all keys of a data folder, with the one hash tag that keeps them in one cluster slot. */
  readonly prefix: string
  /** Prefix of BullMQ's queues. */
  readonly bull: string
  /** A key of ours, e.g. `key('stream', projectId)`. */
  key(...parts: string[]): string
  /** Fixed by the contract, so without a prefix: programs of others subscribe to them. */
  progressChannel(projectId: string): string
  stageChannel(projectId: string, stage: string): string
}

export function createKeys(dataId: string): RedisKeys {
  const prefix = `{sr:${dataId}}`
  return {
    prefix,
    bull: `${prefix}:bull`,
    key: (...parts) => [prefix, ...parts].join(':'),
    progressChannel: (projectId) => `progress:${projectId}`,
    stageChannel,
  }
}

export function stageChannel(projectId: string, stage: string): string {
  return `ai_story:project:${projectId}:stage:${stage}`
}
