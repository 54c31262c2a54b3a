/** What a stored file may do in a browser, and what it is called there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileHeaders } from '../../src/api/disposition.ts'

const NAMES: [string, string][] = [
  ['video.mp4', `inline; filename="video.mp4"; filename*=UTF-8''video.mp4`],
  ['Grüße "1".mp4', `inline; filename="Gr__e _1_.mp4"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%221%22.mp4`],
  ['a/b\\c.mp4', `inline; filename="c.mp4"; filename*=UTF-8''c.mp4`],
  ["it's (1)*.mp4", `inline; filename="it_s _1__.mp4"; filename*=UTF-8''it%27s%20%281%29%2A.mp4`],
  ['a\r\nSet-Cookie: x', `inline; filename="a__Set-Cookie_ x"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x`],
  ['\ud800.mp4', `inline; filename="_.mp4"; filename*=UTF-8''%EF%BF%BD.mp4`],
]

for (const [name, expected] of NAMES)
  test(`the name ${JSON.stringify(name)}`, () =>
    assert.equal(fileHeaders(name, 'video/mp4')['Content-Disposition'], expected))

const TYPES: [string, string, 'inline' | 'attachment'][] = [
  ['text/plain', 'text/plain; charset=utf-8', 'inline'],
  ['text/html', 'text/html; charset=utf-8', 'attachment'],
  ['image/svg+xml', 'image/svg+xml', 'attachment'],
  ['image/png', 'image/png', 'inline'],
  ['Application/JSON; charset=latin1', 'application/json', 'inline'],
  ['audio/wav', 'audio/wav', 'inline'],
  ['nonsense\r\nx: y', 'application/octet-stream', 'attachment'],
]

for (const [mime, type, kind] of TYPES)
  test(`the type ${JSON.stringify(mime)}`, () => {
    const headers = fileHeaders('file', mime)
    assert.equal(headers['Content-Type'], type)
    assert.equal(headers['Content-Disposition'].split(';')[0], kind)
    assert.match(headers['Content-Security-Policy'], /default-src 'none'.*sandbox/)
  })
