/**
 * Hides what has the shape of a secret. Lines are written by others, and may be made to take long: no rule looks at a
 * character more than a few times, so that the time grows with the length and no faster.
 */

export const HIDDEN = '***'

const KEY_NAMES = '(?:api|access|secret|private|signing|encryption|master|auth)[_-]?key'
/** Ends of names whose values are secrets, e.g. of `csrfToken`. */
const NAMES = `token|ticket|${KEY_NAMES}|passw(?:or)?d|passphrase|secret|credentials?`
const IN_ADDRESS = 'key|token|ticket|secret|passw(?:or)?d|pass|pwd|sig|signature|auth|credential'
/** What an unquoted value cannot be: nothing, a comparison, or hidden already. */
const NO_VALUE = String.raw`(?!\*\*\*|[=>]|(?:null|undefined|true|false)\b)`
const COOKIE = String.raw`[^\s;,"'\x60\\]`

/** What comes before and after a secret stays, so that a reader sees what was hidden. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/(authorization\s{0,9}[:=]\s{0,9}(?:[a-z][\w-]{0,40}[ \t]+)?)[^\s"'`\\,]+(?:,[ \t]*[\w-]+=[^\s"'`\\,]+)*/gi, '$1'],
  [new RegExp(String.raw`(cookie\s{0,9}[:=]\s{0,9})[\w!#$%&*+.^|~-]+=${COOKIE}*(?:;\s{0,9}${COOKIE}*)*`, 'gi'), '$1'],
  [/\b(bearer(?:\s{1,9}|%20))(?!tokens\b|auth(?:enti|ori)|realm)[\w.~+/=-]{6,}/gi, '$1'],
  [new RegExp(String.raw`([?&;][\w.-]{0,40}?(?:${IN_ADDRESS})=)[^\s&;#"'\x60\\<>]+`, 'gi'), '$1'],
  [new RegExp(String.raw`((?:${NAMES})(?:=|:\s{0,9}| = ))${NO_VALUE}[^\s&;,"'\x60\\{[(<]+`, 'gi'), '$1'],
  [/\b([A-Z][A-Z0-9_]*_(?:KEY|PASS)=)[^\s"'`\\]+/g, '$1'],
  [/(:\/\/[^\s/:@"']*:)[^\s/@"']+(?=@)/g, '$1'],
  // Keys of well-known services, wherever they stand.
  [/\b([spr]k-)[\w-]{12,}/g, '$1'],
  [/\b((?:[spr]k|tok)_(?:live|test)_|AIza|gh[opsur]_|github_pat_|glpat-|hf_|xox[abp]-)[\w-]{16,}/g, '$1'],
  [/(?<![\w-])(eyJ)[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, '$1'],
]

/** Most lines have none of these; a look for them is much cheaper than all the rules. */
const WORDS = /bearer|basic|[spr]k-|token|ticket|key|pass|secret|authorization|cookie|credential|:\/\//i
/** In the pattern these would cost ten times as much. */
const HINTS = [
  '_live_',
  '_test_',
  'AIza',
  'gho_',
  'ghp_',
  'ghr_',
  'ghs_',
  'ghu_',
  '_pat_',
  'glpat-',
  'hf_',
  'oxa-',
  'oxb-',
  'oxp-',
  'eyJ',
  'sig=',
  'ignature=',
  'auth=',
  'pwd=',
]

/** Doing it twice changes nothing more. */
export function hideShapes(text: string): string {
  if (!WORDS.test(text) && !HINTS.some((mark) => text.includes(mark))) return text
  const shown = hideQuoted(text).replace(BASIC, hideBasic)
  return RULES.reduce((rest, [shape, kept]) => rest.replace(shape, kept + HIDDEN), shown)
}

/** RFC 7617. Without a look inside, "a basic example" would be one. */
const BASIC = /\b(basic(?:\s{1,9}|%20))([a-z\d+/]{6,}={0,2})(?![\w+/=-])/gi

function hideBasic(whole: string, before: string, credentials: string): string {
  return /^[ -~]+:/.test(Buffer.from(credentials, 'base64').toString('latin1')) ? before + HIDDEN : whole
}

/** A name, what stands between it and its value, and the value's quote: as in JSON, JavaScript, or JSON in a string. */
const OPENING = new RegExp(
  String.raw`(?:${NAMES}|\bpass|authorization|cookie)(?:\\*["'\x60])?\s*(?::|=>?)\s*(?<list>\[\s*)?(?<slashes>\\*)(?<quote>["'\x60])`,
  'gi',
)
/** From the end of one value of a list to the beginning of the next. */
const NEXT = /\\*["'`]\s*,\s*(?<slashes>\\*)(?<quote>["'`])/y

function hideQuoted(text: string): string {
  let shown = ''
  let from = 0
  OPENING.lastIndex = 0
  for (let found = OPENING.exec(text); found; found = OPENING.exec(text)) {
    const isList = found.groups!.list !== undefined
    for (let opening: RegExpExecArray | null = found; opening; ) {
      const { slashes, quote } = opening.groups!
      const start = opening.index + opening[0].length
      const end = endOfQuoted(text, start, { quote: quote!, slashes: slashes!.length })
      shown += text.slice(from, start) + (end > start ? HIDDEN : '')
      from = end
      NEXT.lastIndex = end
      opening = isList ? NEXT.exec(text) : null
    }
    OPENING.lastIndex = from
  }
  return shown + text.slice(from)
}

/**
 * Where the quote is again, with as many backslashes as before the first one. Each level of strings in strings doubles
 * them and adds one: twice as many and one belong to a quote inside the value. Fewer end a string around it, and a value
 * that has no end was cut: all that is left of it is hidden.
 */
function endOfQuoted(text: string, start: number, { quote, slashes }: { quote: string; slashes: number }): number {
  for (let at = text.indexOf(quote, start); at >= 0; at = text.indexOf(quote, at + 1)) {
    let before = 0
    while (at - before > start && text[at - before - 1] === '\\') before++
    if (before < slashes || before % (2 * slashes + 2) === slashes) return at - Math.min(before, slashes)
  }
  return text.length
}
