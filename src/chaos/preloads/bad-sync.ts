/** Lets the flushes of a worker's journals fail as a bad disk does, for as long as there are orders. */
import { readlinkSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isWorker, ordersPath, readOrders } from './orders.ts'

export type SyncOrders = { code: 'EIO' }

const path = ordersPath(import.meta.url)
if (path !== null && isWorker()) await breakSync(path)

async function breakSync(from: string): Promise<void> {
  const handle = await open('/dev/null')
  const proto = Object.getPrototypeOf(handle) as FileHandle
  await handle.close()
  const { datasync } = proto
  proto.datasync = async function (this: FileHandle) {
    const orders = readOrders<SyncOrders>(from)
    if (orders && readlinkSync(`/proc/self/fd/${this.fd}`).endsWith('journal.ndjson'))
      throw Object.assign(new Error(`${orders.code}: i/o error, fdatasync`), {
        code: orders.code,
        syscall: 'fdatasync',
      })
    return datasync.call(this)
  }
}
