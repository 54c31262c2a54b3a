/** What is worth a line at boot although nothing is wrong: shadowed and unknown names. */
import { LAUNCHER_PID } from '../settings.ts'
import type { Lookup } from './sources.ts'
import { SETTING_NAMES, SETTINGS, type SettingName } from './table.ts'

const PREFIX = 'SHOWRUNNER_'
/** Set by a supervisor for its children, and by the `showrunner` command; ours may be started from such a child. */
const INTERNAL = ['SHOWRUNNER_RUN_ID', 'SHOWRUNNER_DATA_ID', 'SHOWRUNNER_PARENT_PID', LAUNCHER_PID]

/** A file's line that has no effect because a stronger source says something else. */
export function shadowNotes(lookup: Lookup): string[] {
  return SETTING_NAMES.flatMap((name) => {
    const [winner, ...others] = lookup.findAll(name)
    const shadowed = others.filter((other) => other.value !== winner?.value)
    return shadowed.map((other) => `${name} (${other.from}) is ignored: ${winner?.from} says otherwise`)
  })
}

/** Parts of an address that are set beside the whole address. */
export function redisNotes(isSet: (name: SettingName) => boolean, mode: 'auto' | 'spawn' | 'attach'): string[] {
  if (!isSet('REDIS_URL')) return []
  if (mode === 'spawn') return ['REDIS_URL is ignored: REDIS=spawn always starts our own']
  const parts = (['REDIS_HOST', 'REDIS_PORT', 'REDIS_DB', 'REDIS_PASSWORD'] as const).filter(isSet)
  return parts.length > 0 ? [`${parts.join(', ')} ignored: REDIS_URL says it all`] : []
}

/** Our settings carry no prefix; a name that does is a slip that nobody would notice otherwise. */
export function unknownNotes(lookup: Lookup): string[] {
  const unknown = lookup.names().filter((name) => name.startsWith(PREFIX) && !INTERNAL.includes(name))
  return unknown.map((name) => `${name} is not a setting; did you mean ${nearest(name.slice(PREFIX.length))}?`)
}

function nearest(name: string): string {
  const known = SETTING_NAMES.flatMap((setting) =>
    SETTINGS[setting].secret ? [setting, `${setting}_FILE`] : [setting],
  )
  const ranked = known.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
  return ranked.reduce((best, next) => (next.distance < best.distance ? next : best)).candidate
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (char === b[j] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
