import { expect, test } from 'vitest'
import { isNatsUrl, natsProblem, natsServers } from './nats-settings.ts'

const alone = { ignoreClusterUpdates: true }
const withOthers = { ignoreClusterUpdates: false }
const tls = { checkServerIdentity: expect.any(Function) }

test.each([
  ['nats://127.0.0.1:4222', { servers: ['nats://127.0.0.1:4222'], ...alone }],
  ['nats://a, nats://b:5000', { servers: ['nats://a', 'nats://b:5000'], ...alone }],
  ['nats://agent:4p%40ss@nats:4222', { servers: ['nats://nats:4222'], user: 'agent', pass: '4p@ss', ...alone }],
  ['nats://t0ken@nats', { servers: ['nats://nats'], token: 't0ken', ...alone }],
  ['tls://nats', { servers: ['tls://nats'], tls, ...withOthers }],
  ['nats://a,tls://b', { servers: ['nats://a', 'tls://b'], tls, ...withOthers }],
  ['nats://[::1]:4222', { servers: ['nats://[::1]:4222'], ...alone }],
])('%s names servers and what opens them', (url, expected) => {
  expect(isNatsUrl(url)).toBe(true)
  expect(natsServers({ natsUrl: url })).toEqual(expected)
})

const none = ['', 'nats://', 'nats', 'http://nats', 'nats://a,', 'nats://a b', 'nats://a:port']
const unreadable = ['nats://agent:50%off@nats', 'nats://a, nats://100%@nats', 'nats://:alone@nats']
test.each([...none, ...unreadable])('%j is none', (url) => {
  expect(isNatsUrl(url)).toBe(false)
})

test('a file of authorities or a client certificate asks for TLS', () => {
  expect(natsServers({ natsUrl: 'nats://a', natsCaFile: '/ca' })).toMatchObject({ tls: { caFile: '/ca' } })
  const pair = { natsCertificateFile: '/c', natsKeyFile: '/k' }
  expect(natsServers({ natsUrl: 'nats://a', ...pair })).toMatchObject({ tls: { certFile: '/c', keyFile: '/k' } })
})

test.each([
  'nats://127.0.0.1',
  'nats://127.8.9.1:4222',
  'nats://localhost',
  'nats://LOCALHOST:1',
  'nats://[::1]',
  'tls://far',
  'nats://far,tls://far',
])('%s may be connected to as it stands', (natsUrl) => {
  expect(natsProblem({ natsUrl })).toBeUndefined()
})

test.each([
  'nats://far',
  'nats://127.0.0.1,nats://far',
  'nats://127.0.0.1.far',
  'nats://localhost.far',
  'nats://127.0.0.1%2efar',
  'nats://[::2]',
  'nats://0.0.0.0',
  'nats://name:s3cret@far',
])('%s would be plain text to another machine, which only natsPlaintext allows', (natsUrl) => {
  const problem = natsProblem({ natsUrl })
  expect(problem).toMatchObject({ code: 'nats-plaintext', hint: expect.stringContaining('natsPlaintext') })
  expect(JSON.stringify(problem)).not.toContain('s3cret')
  expect(natsProblem({ natsUrl, natsPlaintext: true })).toBeUndefined()
  expect(natsProblem({ natsUrl, natsCaFile: '/ca' })).toBeUndefined()
})

test('two identities, or half a certificate, are refused', () => {
  const natsUrl = 'tls://far'
  expect(natsProblem({ natsUrl, natsNkeyFile: '/n', natsCredentialsFile: '/c' })?.code).toBe('nats-identities')
  expect(natsProblem({ natsUrl: 'tls://a:b@far', natsNkeyFile: '/n' })?.code).toBe('nats-identities')
  expect(natsProblem({ natsUrl, natsKeyFile: '/k' })?.code).toBe('nats-certificate-half')
  expect(natsProblem({ natsUrl, natsCertificateFile: '/c' })?.code).toBe('nats-certificate-half')
})
