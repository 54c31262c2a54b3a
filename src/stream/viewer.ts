/** Types first */
export type Sink = {
  /** False while its buffer is full: it then gets one merged frame later instead of many. */
  writable(): boolean
  /** One JSON message as UTF-8; `cursor` (empty: none yet) is what a client that has read it may resume from. */
  write(frame: Buffer | string, cursor: string): void
  /** Calls back once, as soon as it is writable again. */
  whenWritable(callback: () => void): void
  /** Nothing more will come. */
  end(): void
}

/** `since` is `<epoch>-<seq>`; a value that makes no sense counts as one that cannot be resumed from. */
export type JoinOptions = {
  stage?: string
  since?: string
  v: 1 | 2
  sink: Sink
  /** Ends the sink once the project has ended and everything was written (SSE). Default: it stays for a rerun. */
  endWithProject?: boolean
}

export type Viewer = { leave(): void; readonly cursor: string }
