/** What ffprobe says of a file, and what is wrong with it. */

export type VideoFacts = {
  codec: string
  width: number
  height: number
  frames: number
  packets: number
  durationS: number
}
export type AudioFacts = { codec: string; sampleRate: number; channels: number; durationS: number }
export type MediaFacts = { durationS: number; bytes: number; video: VideoFacts | null; audio: AudioFacts | null }

/** Packets are counted because a truncated faststart file still claims its full length. */
export function probeArgs(path: string): string[] {
  return [
    '-v',
    'error',
    '-count_packets',
    '-show_entries',
    `stream=${STREAM}`,
    '-show_entries',
    FORMAT,
    '-of',
    'json',
    path,
  ]
}

const STREAM = 'codec_type,codec_name,width,height,nb_frames,nb_read_packets,duration,sample_rate,channels'
const FORMAT = 'format=duration,size'

type RawStream = Record<string, string | number | undefined>

/** Throws a SyntaxError when `json` is not ffprobe's. */
export function parseProbe(json: string): MediaFacts {
  const raw = JSON.parse(json) as { streams?: RawStream[]; format?: RawStream }
  const video = raw.streams?.find((s) => s.codec_type === 'video')
  const audio = raw.streams?.find((s) => s.codec_type === 'audio')
  return {
    durationS: numeric(raw.format?.duration),
    bytes: numeric(raw.format?.size),
    video: video ? videoFacts(video) : null,
    audio: audio ? audioFacts(audio) : null,
  }
}

export type ExpectedMedia = { width: number; height: number; frames: number; fps: number; audio: boolean }

/** Plain sentences about every way in which a file differs from its plan; none when it is good. */
export function problemsOf(facts: MediaFacts, expected: ExpectedMedia): string[] {
  const { video, audio } = facts
  if (!video) return ['it has no video stream']
  const plannedS = expected.frames / expected.fps
  return [
    video.codec !== 'h264' && `its video is ${video.codec}, not h264`,
    (video.width !== expected.width || video.height !== expected.height) &&
      `its size is ${video.width}x${video.height}, not ${expected.width}x${expected.height}`,
    video.frames !== video.packets && `it claims ${video.frames} frames and holds ${video.packets}`,
    video.packets !== expected.frames && `it holds ${video.packets} frames, not ${expected.frames}`,
    Math.abs(facts.durationS - plannedS) > 0.1 && `it lasts ${facts.durationS} s, not ${plannedS} s`,
    expected.audio && audio?.codec !== 'aac' && `its audio is ${audio?.codec ?? 'missing'}, not aac`,
  ].filter((problem) => problem !== false)
}

function videoFacts(s: RawStream): VideoFacts {
  return {
    codec: String(s.codec_name),
    width: numeric(s.width),
    height: numeric(s.height),
    frames: numeric(s.nb_frames),
    packets: numeric(s.nb_read_packets),
    durationS: numeric(s.duration),
  }
}

function audioFacts(s: RawStream): AudioFacts {
  return {
    codec: String(s.codec_name),
    sampleRate: numeric(s.sample_rate),
    channels: numeric(s.channels),
    durationS: numeric(s.duration),
  }
}

/** ffprobe leaves out, or calls `N/A`, what a container does not say. */
function numeric(value: string | number | undefined): number {
  const n = Number(value)
  return Number.isFinite(n) ? n : 0
}
