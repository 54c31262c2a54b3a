/** How a browser may show a stored file: type, name, and what its content is allowed to do. Pure. */

/** Content that browsers show without running any of it; everything else is downloaded. */
const INLINE =
  /^(?:(?:video|audio)\/[a-z0-9.+-]+|image\/(?:png|jpeg|webp|gif|avif)|text\/plain|application\/(?:json|pdf))$/

export type FileHeaders = {
  'Content-Type': string
  'Content-Disposition': string
  'Content-Security-Policy': string
}

/** Made by programs from foreign input: never trusted with our origin. */
const POLICY =
  "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"

export function fileHeaders(name: string, mime: string): FileHeaders {
  const essence = mime.split(';')[0]!.trim().toLowerCase()
  const known = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/.test(essence) ? essence : 'application/octet-stream'
  return {
    'Content-Type': known.startsWith('text/') ? `${known}; charset=utf-8` : known,
    'Content-Disposition': disposition(name, INLINE.test(known) ? 'inline' : 'attachment'),
    'Content-Security-Policy': POLICY,
  }
}

/** RFC 6266: an ASCII name for old programs, the real one in UTF-8 (RFC 8187). */
function disposition(name: string, kind: 'inline' | 'attachment'): string {
  const last = name.split(/[/\\]/).at(-1) || 'file'
  const ascii = last.replace(/[^A-Za-z0-9 ._-]/g, '_')
  const utf8 = encodeURIComponent(last.toWellFormed()).replace(
    /['()*!]/g,
    (ch) => `%${ch.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${utf8}`
}
