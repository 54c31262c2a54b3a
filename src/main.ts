/** The program: settings, boot, signals, exit code. */
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

const startedMs = performance.now()
const cache = enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/showrunner', import.meta.url)))

// Loaded only now, so that the cache serves them.
const { launch } = await import('./launch/launch.ts')
process.exitCode = await launch({ argv: process.argv.slice(2), startedMs, cacheDir: cache.directory ?? null })
process.exit()
