/** The least that can be stopped by Ctrl+C together with a Redis. */
import { spawn } from 'node:child_process'

const [binary, config] = process.argv.slice(2)
const redis = spawn(binary!, [config!], { stdio: ['ignore', 'pipe', 'ignore'] })
redis.stdout.on('data', (data) => {
  if (String(data).includes('Ready to accept connections')) process.stdout.write('ready\n')
})
process.on('SIGINT', () => {
  redis.once('exit', () => process.exit(0))
  redis.kill('SIGTERM')
})
