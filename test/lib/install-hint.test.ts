/** The command that a user is told to type must be right for their system. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installHint, parseOsRelease } from '../../src/lib/install-hint.ts'

const CASES = [
  { program: 'ffmpeg', platform: 'linux', ids: ['debian'], hint: 'sudo apt-get install -y ffmpeg' },
  { program: 'ffprobe', platform: 'linux', ids: ['ubuntu', 'debian'], hint: 'sudo apt-get install -y ffmpeg' },
  { program: 'ffmpeg', platform: 'linux', ids: ['linuxmint', 'ubuntu'], hint: 'sudo apt-get install -y ffmpeg' },
  { program: 'ffmpeg', platform: 'linux', ids: ['fedora'], hint: 'sudo dnf install -y ffmpeg-free' },
  { program: 'redis-server', platform: 'linux', ids: ['alpine'], hint: 'sudo apk add redis' },
  { program: 'espeak-ng', platform: 'darwin', ids: [], hint: 'brew install espeak-ng' },
  { program: 'ffmpeg', platform: 'linux', ids: ['unheard-of'], hint: 'install ffmpeg and put it on the PATH' },
  { program: 'ffmpeg', platform: 'win32', ids: [], hint: 'install ffmpeg and put it on the PATH' },
] as const

for (const { program, platform, ids, hint } of CASES)
  test(`${program} on ${platform} ${ids.join(' ')}`, () => assert.equal(installHint(program, { platform, ids }), hint))

test('reads ID and ID_LIKE, quoted or not', () => {
  const text = 'NAME="Linux Mint"\nVERSION_ID="21"\nID=linuxmint\nID_LIKE="ubuntu debian"\n'
  assert.deepEqual(parseOsRelease(text), ['linuxmint', 'ubuntu', 'debian'])
  assert.deepEqual(parseOsRelease(''), [])
})
