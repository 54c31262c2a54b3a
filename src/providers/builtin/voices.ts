/** Which voice speaks which language: pure choices over espeak-ng's own list. */

/** espeak-ng's names where they differ from BCP 47. */
const ESPEAK_NAMES: Record<string, string> = { zh: 'cmn', no: 'nb', und: 'en' }

/** Every name by which `espeak-ng --voices` says that a voice can be called, in lower case. */
export function parseVoices(listing: string): Set<string> {
  const names = new Set<string>()
  for (const line of listing.split('\n').slice(1)) {
    const match = /^ *\d+ +(\S+) +\S+ +(\S+) +(\S+) *(.*)$/.exec(line)
    if (!match) continue
    const [, language, voice, file, others] = match
    for (const name of [language!, voice!, file!]) names.add(name.toLowerCase())
    for (const other of others!.matchAll(/\((\S+) \d+\)/g)) names.add(other[1]!.toLowerCase())
  }
  return names
}

/** A wished voice may carry a variant, e.g. `en-us+f3`. */
export function hasVoice(voices: ReadonlySet<string>, wish: string): boolean {
  return voices.has(wish.split('+')[0]!.toLowerCase())
}

/** The voice for a language; English for what is written in Latin letters without being known; else undefined. */
export function voiceFor(voices: ReadonlySet<string>, language: string, writing: string): string | undefined {
  const name = ESPEAK_NAMES[language] ?? language
  if (name !== 'en' && hasVoice(voices, name)) return name
  return writing === 'Latin' || writing === 'Common' ? 'en' : undefined
}
