/** Mono 16-bit PCM in WAV files: what narrators write and the film's one narration track is made of. */
import { type FileHandle, open, writeFile } from 'node:fs/promises'
import { AppError } from '../../lib/errors.ts'

export type Wav = { sampleRate: number; samples: Int16Array }

export const SPEECH_RATE = 22_050
const BYTES_PER_SAMPLE = 2

/** Throws `invalid_output` for anything but whole, mono, 16-bit PCM. */
export function parseWav(bytes: Uint8Array, name: string): Wav {
  const bad = (why: string) => new AppError('invalid_output', `${name} is not usable as narration: ${why}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const chunks = chunksOf(view)
  const format = chunks.get('fmt ')
  const data = chunks.get('data')
  if (!format || format.size < 16 || !data) throw bad('no WAV header')
  const [coding, channels, bits] = [0, 2, 14].map((at) => view.getUint16(format.at + at, true))
  if (coding !== 1 || channels !== 1 || bits !== 16) throw bad('not mono 16-bit PCM')
  if (data.at + data.size > bytes.byteLength) throw bad('cut off')
  const samples = new Int16Array(Math.floor(data.size / BYTES_PER_SAMPLE))
  new Uint8Array(samples.buffer).set(bytes.subarray(data.at, data.at + samples.byteLength))
  return { sampleRate: view.getUint32(format.at + 4, true), samples }
}

export async function writeWav(path: string, { sampleRate, samples }: Wav): Promise<void> {
  const pcm = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  await writeFile(path, Buffer.concat([wavHeader(sampleRate, samples.length), pcm]))
}

export function silence(seconds: number, sampleRate = SPEECH_RATE): Wav {
  return { sampleRate, samples: new Int16Array(Math.round(seconds * sampleRate)) }
}

/** Root mean square, 0 for digital silence and 1 for full scale. */
export function loudnessOf(samples: Int16Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  return samples.length === 0 ? 0 : Math.sqrt(sum / samples.length) / 32_768
}

/** Pieces at their places (in samples, in order, not overlapping), written one after the other. */
export async function writeTrack(
  path: string,
  track: { sampleRate: number; totalSamples: number },
  pieces: AsyncIterable<{ at: number; samples: Int16Array }>,
): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.write(wavHeader(track.sampleRate, track.totalSamples))
    let position = 0
    for await (const { at, samples } of pieces) {
      await writeSilence(file, at - position)
      await file.write(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength))
      position = at + samples.length
    }
    await writeSilence(file, track.totalSamples - position)
  } finally {
    await file.close()
  }
}

async function writeSilence(file: FileHandle, samples: number): Promise<void> {
  if (samples < 0) throw new AppError('invalid_output', 'Two lines of the narration overlap')
  for (let left = samples; left > 0; left -= SPEECH_RATE)
    await file.write(new Uint8Array(Math.min(left, SPEECH_RATE) * BYTES_PER_SAMPLE))
}

type Chunk = { at: number; size: number }

/** RIFF chunks by name; each starts at an even position. */
function chunksOf(view: DataView): Map<string, Chunk> {
  const chunks = new Map<string, Chunk>()
  const nameAt = (at: number) => String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)))
  if (view.byteLength < 12 || nameAt(0) !== 'RIFF' || nameAt(8) !== 'WAVE') return chunks
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const size = view.getUint32(at + 4, true)
    chunks.set(nameAt(at), { at: at + 8, size })
    at += 8 + size + (size % 2)
  }
  return chunks
}

function wavHeader(sampleRate: number, samples: number): Buffer {
  const size = samples * BYTES_PER_SAMPLE
  const header = Buffer.alloc(44)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(36 + size, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(sampleRate, 24)
  header.writeUInt32LE(sampleRate * BYTES_PER_SAMPLE, 28)
  header.writeUInt16LE(BYTES_PER_SAMPLE, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(size, 40)
  return header
}
