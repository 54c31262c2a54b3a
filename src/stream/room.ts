/** One project that is viewed: what is known of it, and its latest entries. Every viewer of it reads from here. */
import { sha256 } from '../lib/ids.ts'
import { catchUpItems, connectedMessage, type Scene } from './catch-up.ts'
import type { StreamEntry } from './events.ts'
import { type Frame, frameItems, mergeEntries, type View } from './frames.ts'
import { applyEntry, createModel, isOver, type Model } from './model.ts'
import { withWholeTexts } from './recall.ts'
import { Ring } from './ring.ts'
import type { Snapshot } from './snapshot.ts'
import type { ProjectRecord } from './source.ts'

/** Gives the name that `connected` tells; `stage` undefined: of the whole project. */
export type ChannelOf = (projectId: string, stage: string | undefined) => string

export class Room {
  readonly id: string
  /** Changes whenever what was sent before can no longer be continued. */
  epoch = ''
  head = 0
  /** True while Redis has nothing of the project: it is shown from the disk. */
  isFromDisk = true
  #model: Model = { stages: new Map(), project: {} }
  #ring = new Ring(0)
  #frames = new Map<string, Frame[]>()
  readonly #channelOf: ChannelOf
  readonly #now: () => number

  constructor(id: string, { channelOf, now }: { channelOf: ChannelOf; now: () => number }) {
    this.id = id
    this.#channelOf = channelOf
    this.#now = now
  }

  get stages(): string[] {
    return [...this.#model.stages.keys()]
  }

  get isOver(): boolean {
    return isOver(this.#model)
  }

  /** True while a completed stage has not said so. */
  get lacksEnd(): boolean {
    return [...this.#model.stages.values()].some((stage) => stage.status === 'completed' && !stage.done)
  }

  /** Takes over what Redis has, or without a snapshot what the disk has. */
  load(record: ProjectRecord, snapshot: Snapshot | undefined): void {
    const epoch = snapshot?.epoch ?? diskEpoch(record)
    const head = snapshot?.seq ?? 1
    const continues = epoch === this.epoch && head === this.head
    this.#model = createModel(record, snapshot, this.#model)
    this.#frames.clear()
    this.isFromDisk = snapshot === undefined
    if (continues) return
    this.epoch = epoch
    this.head = head
    this.#ring = new Ring(head)
  }

  /** False when they do not continue what is known. */
  apply(entries: StreamEntry[]): boolean {
    for (const entry of entries) {
      if (entry.epoch === this.epoch && entry.seq <= this.head) continue
      if (this.isFromDisk || entry.epoch !== this.epoch || entry.seq !== this.head + 1) return false
      const applied = applyEntry(this.#model, entry)
      if (!applied) return false
      this.#ring.push(applied)
      this.head = entry.seq
      this.#frames.clear()
    }
    return true
  }

  /** True when everything after `seq` can still be told one by one. */
  covers(seq: number): boolean {
    return seq <= this.head && this.#ring.covers(seq)
  }

  /** The first entry that is known, for those who look for older ones. */
  get oldest(): number {
    return this.#ring.start + 1
  }

  /** `older` reaches up to the entry before `oldest`; with a gap, or with texts that cannot be told, it is of no use. */
  extend(older: StreamEntry[]): void {
    const isWhole = older.every((e, i) => e.seq === this.#ring.start - older.length + 1 + i && e.epoch === this.epoch)
    const known = isWhole && withWholeTexts(older, this.#ring.after(this.#ring.start), this.#textOf)
    if (known) this.#ring.prepend(known)
  }

  /** What came after `seq`, which is covered; serialised once for all who ask the same. */
  framesAfter(seq: number, view: View): Frame[] {
    return this.#remembered(`${seq} ${view.v} ${view.busy} ${view.stage ?? ''}`, () =>
      frameItems(mergeEntries(this.#ring.after(seq), { projectId: this.id, view, textOf: this.#textOf }), this.head),
    )
  }

  /** Everything from the beginning. */
  catchUp({ stage, v }: View, replaces: boolean): Frame[] {
    return this.#remembered(`all ${v} ${replaces} ${stage ?? ''}`, () =>
      frameItems(catchUpItems(this.#scene(stage), { v, replaces }), this.head),
    )
  }

  /** Says that a client continues where it was. */
  resumed(seq: number, stage: string | undefined): Frame {
    return { data: Buffer.from(JSON.stringify(connectedMessage(this.#scene(stage), true, seq))), seq }
  }

  readonly #textOf = (stage: string) => this.#model.stages.get(stage)?.text ?? ''

  #remembered(key: string, make: () => Frame[]): Frame[] {
    const known = this.#frames.get(key)
    if (known) return known
    const made = make()
    this.#frames.set(key, made)
    return made
  }

  #scene(stage: string | undefined): Scene {
    const { id: projectId, epoch, head } = this
    const timestamp = this.#now() / 1000
    return { projectId, channel: this.#channelOf(projectId, stage), epoch, head, model: this.#model, stage, timestamp }
  }
}

/** The same for the same state, in every process and after every restart. */
function diskEpoch({ state }: ProjectRecord): string {
  return `d${sha256(`${state.id} ${state.revision} ${state.updated_at}`).slice(0, 16)}`
}
