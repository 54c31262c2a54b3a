/** The Host and Origin rules, as a table. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAllowedHost, isAllowedOrigin } from '../../src/api/host.ts'

const RULE = { extra: ['studio.local', 'proxy.example:8443'], localAddress: '192.168.1.5', localPort: 8000 }

const HOSTS: [string, boolean][] = [
  ['localhost', true],
  ['LOCALHOST:8000', true],
  ['127.0.0.1:8000', true],
  ['[::1]:8000', true],
  ['[::1]', true],
  ['192.168.1.5:8000', true],
  ['studio.local:8000', true],
  ['studio.local', true],
  ['proxy.example:8443', true],
  ['proxy.example', false],
  ['proxy.example:8000', false],
  ['localhost:9000', false],
  ['localhost:80', false],
  ['evil.example', false],
  ['evil.example:8000', false],
  ['localhost.evil.example', false],
  ['127.0.0.1.nip.io:8000', false],
  ['192.168.1.6:8000', false],
  ['localhost:8000@evil.example', false],
  ['localhost:8000:8000', false],
  ['', false],
]

for (const [host, allowed] of HOSTS)
  test(`host "${host}" is ${allowed ? 'ours' : 'refused'}`, () => assert.equal(isAllowedHost(host, RULE), allowed))

test('an address of IPv4 inside IPv6 is compared as IPv4', () => {
  const rule = { extra: [], localAddress: '::ffff:10.0.0.2', localPort: 8000 }
  assert.equal(isAllowedHost('10.0.0.2:8000', rule), true)
  assert.equal(isAllowedHost('[fe80::1]:8000', { ...rule, localAddress: 'fe80::1' }), true)
})

const ORIGINS: [string, boolean][] = [
  ['http://localhost:8000', true],
  ['https://localhost:8000', true],
  ['https://proxy.example:8443', true],
  ['http://localhost', false],
  ['http://localhost:3000', false],
  ['http://127.0.0.1:8000', false],
  ['http://evil.example', false],
  ['http://localhost:8000.evil.example', false],
  ['null', false],
  ['file://', false],
  ['', false],
]

for (const [origin, allowed] of ORIGINS)
  test(`origin "${origin}" is ${allowed ? 'ours' : 'refused'}`, () =>
    assert.equal(isAllowedOrigin(origin, 'localhost:8000', RULE), allowed))
