/** The small contracts of the outside world; `pick.ts` is the only place that chooses between them. */

/** What a call cost; null where the provider does not say. */
export type Usage = { input_tokens: number; output_tokens: number; cost_usd: number | null }

/**
 * Said by everything that a provider makes. `degraded` names in plain words what is less than it could be;
 * `usage` is there when a paid call made it.
 */
export type Provenance = { provider: string; model: string | null; degraded: string[]; usage?: Usage }

/**
 * What a provider needs of the stage that calls it. `folder` is the attempt's own; `nice` is for subprocesses.
 * `requestKey` names the stage's paid calls, the same in every attempt; without it they are named by their content.
 */
export type Work = { folder: string; signal: AbortSignal; nice: number; requestKey?: string }

export const CAMERA_MOVES = ['static', 'pan_left', 'pan_right', 'tilt_up', 'tilt_down', 'zoom_in', 'zoom_out'] as const
export type CameraMove = (typeof CAMERA_MOVES)[number]

/** One spoken line; `weight` says how much the film would lose without it (higher is more). */
export type Line = { name: string; text: string; weight: number }

export type Shot = { name: string; headline: string; camera: CameraMove; lines: Line[] }

/** `language` is BCP 47 (`und` when unknown), `writing` a Unicode script name such as `Latin`. */
export type Script = { title: string; language: string; writing: string; shots: Shot[]; left_out: number }

export type ScriptBrief = { text: string; title: string | null; targetS: number }

export type ScriptWriter = { write(brief: ScriptBrief, work: Work): Promise<Script & Provenance> }

/** A picture to make: `scene` is text that decides what it looks like, `headline` is drawn on it. */
export type PictureBrief = {
  path: string
  format: 'png' | 'jpeg'
  width: number
  height: number
  headline: string
  label: string
  scene: string
}

/** One open source of pictures; `dispose` ends whatever it runs. */
export type Artist = AsyncDisposable & { draw(brief: PictureBrief): Promise<Provenance> }

export type ImageProvider = { open(work: Work): Promise<Artist> }

/** A wished voice, or null for the one that fits the language. */
export type VoiceWish = { voice: string | null; language: string; writing: string }

/** `audible` is false when the file holds silence in place of the words. */
export type Spoken = { durationS: number; audible: boolean; usage?: Usage }

/** One opened voice. `speak` writes a mono 16-bit WAV file; `silent` says that its files hold none of the words. */
export type Narrator = {
  engine: string
  voice: string | null
  silent: boolean
  provenance: Provenance
  speak(text: string, path: string): Promise<Spoken>
}

export type SpeechProvider = { open(wish: VoiceWish, work: Work): Promise<Narrator> }

/** What a failed call means; classify.ts decides it, and errors carry it as `details.class`. */
export type FailureClass =
  | 'cancelled'
  | 'rate_limit'
  | 'quota_exhausted'
  | 'transient'
  | 'misconfigured'
  | 'rejected'
  | 'invalid_request'
  | 'invalid_output'

/**
 * One question to a chat model. `requestKey` names it: the same in every attempt of the same work, so that an answer
 * that was already paid for is found again. `maxTokens` limits the answer.
 */
export type TextRequest = {
  system: string
  user: string
  maxTokens?: number
  temperature?: number
  signal: AbortSignal
  requestKey: string
}

/**
 * What a whole call was. `finish` is `stop`, or `length` when the answer reached its limit: `degraded` then says so.
 * `requestId` is the server's. `usageSource` tells counted tokens from guessed ones.
 */
export type TextAnswer = {
  text: string
  finish: string
  usage: Usage
  usageSource: 'reported' | 'estimated'
  model: string
  requestId: string | null
  degraded: string[]
}

/** What a JSON answer must be. `parse` returns the value or throws (a Zod schema fits); the model sees `jsonSchema`. */
export type JsonShape<T> = { name: string; schema: { parse(value: unknown): T }; jsonSchema: object }

/** `onText` hears every delta; an answer that had to be repaired comes again after a blank line. */
export type JsonRequest<T> = TextRequest & JsonShape<T> & { onText?: (delta: string) => void }

/**
 * A chat model. Calls throw AppErrors whose `details.class` is a `FailureClass`, or the signal's reason.
 * There is no retry inside: a call that failed midway has streamed half a text, which the next attempt replaces.
 */
export type TextModel = {
  readonly provider: string
  readonly model: string
  /** Yields text as it comes, returns what the whole call was. */
  stream(request: TextRequest): AsyncGenerator<string, TextAnswer, void>
  /** Asks for one JSON value that fits; one repair round, then `invalid_output`. `usage` is that of all rounds. */
  json<T>(request: JsonRequest<T>): Promise<TextAnswer & { value: T }>
}

/** A word with its time, where the server tells it. */
export type SpokenWord = { text: string; startS: number; endS: number }

export type Transcript = Provenance & { text: string; language: string | null; words: SpokenWord[] | null }

export type Transcriber = { transcribe(path: string, work: Work): Promise<Transcript> }

/** One call to a provider that counts tokens or money, the failed ones too. */
export type UsageRecord = {
  at: string
  provider: string
  kind: 'text' | 'image' | 'speech' | 'transcription'
  /** The model asked for; `served` is the one that the answer names. */
  model: string
  served: string | null
  request_key: string
  request_id: string | null
  usage: Usage
  usage_source: 'reported' | 'estimated'
  /** Date of the price table that `cost_usd` comes from. */
  prices: string
  /** The failure's class, or null. */
  failure: string | null
}

/** Knows which calls were paid for already. Around every call, so that a crash repeats none that was answered. */
export type CallLedger = {
  /** Writes down that this call is about to be made; gives the raw answer instead when one is stored. */
  before(requestKey: string, about: { provider: string; model: string; kind: string }): Promise<{ raw: string } | null>
  /** Stores the raw answer, before anything reads it. */
  after(requestKey: string, raw: string): Promise<void>
  /** This call is known to have failed: making it again is no second payment for the same answer. */
  refused(requestKey: string): Promise<void>
  /** Drops a stored answer that proved useless, so that the next attempt asks again. */
  forget?(requestKey: string): Promise<void>
}
