/** A part of an open file as a web stream: read on demand, never whole in memory, closed on every way out. */
import type { FileHandle } from 'node:fs/promises'
import { AppError } from '../lib/errors.ts'
import type { ByteRange } from './range.ts'

const CHUNK_BYTES = 128 * 1024

/** Takes over `handle`. Errors when the file is shorter than `range`, so that the connection breaks visibly. */
export function streamFile(handle: FileHandle, range: ByteRange): ReadableStream<Uint8Array> {
  let position = range.start
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const chunk = await readChunk(handle, position, range.end)
        position += chunk.length
        controller.enqueue(chunk)
        if (position <= range.end) return
        await handle.close()
        controller.close()
      } catch (error) {
        await handle.close().catch(() => {}) // the read's error is the one that matters
        throw error
      }
    },
    cancel: () => handle.close(),
  })
}

async function readChunk(handle: FileHandle, position: number, end: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - position + 1))
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
  if (bytesRead === 0) throw new AppError('artifact_missing', 'The file has become shorter while it was read')
  return buffer.subarray(0, bytesRead)
}
