import { expect, test } from 'vitest'
import { isNatsUrl, natsServers } from './nats-servers.ts'

test('name, password, token and encryption of a URL become options', () => {
  expect(natsServers('nats://a:4222')).toEqual({ servers: ['nats://a:4222'] })
  expect(natsServers('nats://u:p%40ss@a:4222, nats://b:4222')).toEqual({
    servers: ['nats://a:4222', 'nats://b:4222'],
    user: 'u',
    pass: 'p@ss',
  })
  expect(natsServers('nats://secret@a')).toEqual({ servers: ['nats://a'], token: 'secret' })
  expect(natsServers('tls://a:4443')).toEqual({ servers: ['tls://a:4443'], tls: {} })
})

test('what is no URL of NATS is told apart', () => {
  expect(isNatsUrl('nats://a,tls://b')).toBe(true)
  for (const text of ['', 'a:4222', 'http://a', 'nats://', 'nats://a,', 'nats://a b'])
    expect(isNatsUrl(text)).toBe(false)
})
