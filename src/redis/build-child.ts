/** Gets a Redis server from the cache, or downloads and compiles one, and prints where it is. A program of its own. */
import { RedisBinary } from 'redis-memory-server'

console.log(await RedisBinary.getPath())
