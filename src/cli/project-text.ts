/** A project in words, for every verb that shows one. Pure. */
import type { Project } from '../api/schemas/project.ts'
import { printable, printableLines } from '../lib/columns.ts'
import { bytesText, durationText, plainTable } from './text.ts'

type Stage = Project['stages'][number]

/** `waiting: quota`, `failed`, … */
export function statusWord({ status, reason }: Pick<Project, 'status' | 'reason'>): string {
  return reason === null ? status : `${status}: ${reason}`
}

export function projectText(state: Project): string {
  const parts = [
    `${printable(state.title)}\n${state.id}, ${state.pipeline}, ${statusWord(state)}, ${Math.floor(state.progress)} %`,
    plainTable(state.stages.map(stageRow)),
    state.error === null ? '' : `error: ${errorText(state.error)}`,
    state.artifacts.length === 0
      ? ''
      : plainTable(state.artifacts.map(({ name, mime, bytes }) => [name, mime, bytesText(bytes)])),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

/** As many lines as the message has. */
export function errorText({ message, code }: NonNullable<Project['error']>): string {
  return `${printableLines(message)} (${code})`
}

/** What happens now, in one line. */
export function nowText(state: Project): string {
  const active =
    state.stages.find((stage) => stage.status === 'running') ?? state.stages.find((stage) => stage.status === 'waiting')
  if (!active) return statusWord(state)
  return printable(
    active.message === null ? `${active.name} (${statusWord(active)})` : `${active.name}: ${active.message}`,
  )
}

function stageRow(stage: Stage): string[] {
  const took = stage.duration_ms === null ? '' : durationText(stage.duration_ms / 1000)
  const notes = [
    stage.stale ? 'stale' : undefined,
    stage.attempts > 1 ? `${stage.attempts} attempts` : undefined,
    stage.provider === null ? undefined : stage.provider,
    stage.error === null ? (stage.message ?? undefined) : `${stage.error.message} (${stage.error.code})`,
  ]
  return [
    stage.name,
    statusWord(stage),
    `${Math.floor(stage.progress)} %`,
    took,
    notes.filter((note) => note !== undefined).join(', '),
  ]
}
