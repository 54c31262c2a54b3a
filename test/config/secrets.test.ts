/** Variables that children inherit: which of them are secrets, and which must stay readable. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inheritedSecrets } from '../../src/config/secrets.ts'

test('the values of variables with names like those of secrets', () => {
  const env = {
    STRIPE_SECRET: 'shapeless-1',
    github_token: 'shapeless-2',
    AWS_SECRET_ACCESS_KEY: '/wJalrXUtnFEMI/K7MDENG+bPxRfiCY=',
    PGPASSWORD: 'shapeless 3',
    SERVICE_CREDENTIALS: '{\n  "private": "shapeless-4"\n}',
  }
  assert.deepEqual(inheritedSecrets(env), [
    'shapeless-1',
    'shapeless-2',
    '/wJalrXUtnFEMI/K7MDENG+bPxRfiCY=',
    'shapeless 3',
    '"private": "shapeless-4"',
  ])
})

test('what is short, a path, or named otherwise is none', () => {
  const env = {
    HOT_KEY: 'F12',
    GOOGLE_APPLICATION_CREDENTIALS: '/run/secrets/google.json',
    SSH_KEY: '~/.ssh/id_ed25519',
    TLS_KEY: './server.pem',
    DEPLOY_KEY: 'C:\\keys\\deploy.pem',
    KEYBOARD: 'qwertz-layout',
    TOKEN_URL: 'https://example.org/token',
    EMPTY_TOKEN: '',
    UNSET_TOKEN: undefined,
  }
  assert.deepEqual(inheritedSecrets(env), [])
})
