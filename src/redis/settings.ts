/** What the settings say about Redis. */

export type RedisSettings = {
  readonly mode: 'auto' | 'spawn' | 'attach'
  readonly url: string | null
  readonly host: string
  readonly port: number
  /** REDIS_PORT was set, so a Redis of our own listens there too. */
  readonly portExplicit: boolean
  readonly db: number
  readonly password: string | null
}
