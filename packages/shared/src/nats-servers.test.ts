import { expect, test } from 'vitest'
import { isNatsUrl, natsServers } from './nats-servers.ts'

test.each([
  ['nats://127.0.0.1:4222', { servers: ['nats://127.0.0.1:4222'] }],
  ['nats://a, nats://b:5000', { servers: ['nats://a', 'nats://b:5000'] }],
  ['nats://agent:4p%40ss@nats:4222', { servers: ['nats://nats:4222'], user: 'agent', pass: '4p@ss' }],
  ['nats://t0ken@nats', { servers: ['nats://nats'], token: 't0ken' }],
  ['tls://nats', { servers: ['tls://nats'], tls: {} }],
  ['nats://[::1]:4222', { servers: ['nats://[::1]:4222'] }],
])('%s names servers and what opens them', (url, expected) => {
  expect(isNatsUrl(url)).toBe(true)
  expect(natsServers(url)).toEqual(expected)
})

test.each(['', 'nats://', 'nats', 'http://nats', 'nats://a,', 'nats://a b', 'nats://a:port'])('%j is none', (url) => {
  expect(isNatsUrl(url)).toBe(false)
})
