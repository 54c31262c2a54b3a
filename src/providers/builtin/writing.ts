/** Which script and which language a text is in, as far as counting can tell. */

/** Unicode script, the language to assume for it, and whether words are written without spaces. */
const WRITINGS = [
  { name: 'Latin', language: 'en', letters: /\p{Script=Latin}/gu },
  { name: 'Cyrillic', language: 'ru', letters: /\p{Script=Cyrillic}/gu },
  { name: 'Greek', language: 'el', letters: /\p{Script=Greek}/gu },
  { name: 'Arabic', language: 'ar', letters: /\p{Script=Arabic}/gu },
  { name: 'Hebrew', language: 'he', letters: /\p{Script=Hebrew}/gu },
  { name: 'Devanagari', language: 'hi', letters: /\p{Script=Devanagari}/gu },
  { name: 'Bengali', language: 'bn', letters: /\p{Script=Bengali}/gu },
  { name: 'Tamil', language: 'ta', letters: /\p{Script=Tamil}/gu },
  { name: 'Thai', language: 'th', letters: /\p{Script=Thai}/gu },
  { name: 'Georgian', language: 'ka', letters: /\p{Script=Georgian}/gu },
  { name: 'Armenian', language: 'hy', letters: /\p{Script=Armenian}/gu },
  { name: 'Ethiopic', language: 'am', letters: /\p{Script=Ethiopic}/gu },
  { name: 'Hangul', language: 'ko', letters: /\p{Script=Hangul}/gu },
  { name: 'Kana', language: 'ja', letters: /[\p{Script=Hiragana}\p{Script=Katakana}]/gu },
  { name: 'Han', language: 'zh', letters: /\p{Script=Han}/gu },
] as const

/** The small words that give a language away; enough of them are in any paragraph. */
const SMALL_WORDS: Record<string, string> = {
  en: 'the and of to in that was he it is for with his as on be at by had not',
  de: 'der die und das ist nicht ein eine zu den mit sich auf dem es war ich von er sie',
  fr: 'le la les et des un une est que dans il elle ne pas pour qui sur avec ce au',
  es: 'el la los las y que en un una es no por con para su se del al lo como',
  it: 'il la che di e un una non per con sono del della gli le si nel era come più',
  pt: 'o a os as e que em um uma não por com para do da se no na ele mais',
  nl: 'de het een en van ik dat niet op te zijn met voor was er maar ook aan om hij',
  sv: 'och att det som en är inte på jag han med av för till den var ett om hon sig',
  pl: 'i w nie na się z do że to jest jak o po ale był co za od tak jego',
  tr: 've bir bu da de için ne çok ile o gibi daha ama var kadar olan sonra mi en ben',
}

export type Tongue = { language: string; writing: string }

/** The script with the most letters, and its language; `und` and `Common` when there are no letters. */
export function tongueOf(text: string): Tongue {
  const sample = text.slice(0, 20_000)
  const counted = WRITINGS.map((w) => ({ ...w, count: sample.match(w.letters)?.length ?? 0 }))
  const most = counted.reduce((a, b) => (b.count > a.count ? b : a))
  if (most.count === 0) return { language: 'und', writing: 'Common' }
  // Japanese mixes kana with more Han characters than kana.
  const kana = counted.find((w) => w.name === 'Kana')!
  if (most.name === 'Han' && kana.count > most.count / 10) return { language: 'ja', writing: 'Han' }
  if (most.name === 'Latin') return { language: latinLanguage(sample), writing: 'Latin' }
  return { language: most.language, writing: most.name }
}

/** The scripts of some letters, e.g. `['Han', 'Thai']`. */
export function writingsOf(letters: Iterable<string>): string[] {
  const names = new Set<string>()
  for (const letter of letters) {
    const found = WRITINGS.find((w) => letter.search(w.letters) === 0)
    names.add(found?.name ?? 'another')
  }
  return [...names].sort()
}

/** The language whose small words make up most of the text; `und` when hardly any are found. */
function latinLanguage(sample: string): string {
  const words = sample.toLowerCase().match(/\p{L}+/gu) ?? []
  const scores = Object.entries(SMALL_WORDS).map(([language, list]) => {
    const small = new Set(list.split(' '))
    const hits = words.filter((word) => small.has(word))
    return { language, hits: hits.length, kinds: new Set(hits).size }
  })
  const best = scores.reduce((a, b) => (b.hits > a.hits ? b : a))
  return best.kinds >= 2 && best.hits >= words.length * 0.05 ? best.language : 'und'
}
