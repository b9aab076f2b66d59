import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadConfig } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'whokilled-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('with Postgres named everything else has a default', () => {
  const config = loadConfig(undefined, { WHOKILLED_POSTGRES_URL: 'postgres://db/whokilled' })
  expect(config).toMatchObject({
    httpHost: '127.0.0.1',
    httpPort: 9137,
    natsUrl: 'nats://127.0.0.1:4222',
    retentionDays: 90,
  })
  expect(Object.isFrozen(config)).toBe(true)
})

test('the environment goes over the file', () => {
  const file = write({ postgresUrl: 'postgres://from/file', httpPort: 1, batch: { messagesMax: 7 } })
  const config = loadConfig(file, { WHOKILLED_HTTP_PORT: '2' })
  expect(config).toMatchObject({
    postgresUrl: 'postgres://from/file',
    httpPort: 2,
    batch: { messagesMax: 7, delayMs: 5 },
  })
})

test('a secret may be in a file of its own', () => {
  const secret = join(folder, 'secret')
  writeFileSync(secret, 'postgres://u:p@db/x\n')
  expect(loadConfig(write({ postgresUrlFile: secret }), {}).postgresUrl).toBe('postgres://u:p@db/x')
  expect(() => loadConfig(write({ postgresUrlFile: `${secret}-not` }), {})).toThrow(/postgresUrlFile: ENOENT/)
  writeFileSync(secret, 'hunter2')
  expect(() => loadConfig(write({ postgresUrlFile: 'postgres://u:hunter2@db/x' }), {})).toThrow(
    /^postgresUrlFile: expected the path of a file that holds the URL, not the URL, received another text$/,
  )
  expect(() => loadConfig(write({ postgresUrlFile: secret }), {})).toThrow(
    'postgresUrlFile: expected postgres://… or postgresql://…, received another text',
  )
})

test.each([
  [{ retentionDays: 0 }, /retentionDays: .*received 0/],
  [{ httpPort: '80' }, /httpPort: .*expected number, received string/],
  [{ logLevel: 'loud' }, /logLevel: /],
  [{ httpsPort: 1 }, /unknown setting httpsPort, did you mean httpPort\?/],
  [{ stream: { maxAge: 1 } }, /unknown setting stream.maxAge, expected one of ageMaxHours, bytesMax/],
])('%j is refused', (settings, message) => {
  expect(() => loadConfig(write({ postgresUrl: 'postgres://db', ...settings }), {})).toThrow(message)
})

test('no error shows a password', () => {
  const messages = [
    () => loadConfig(write({ postgresUrl: 'mysql://u:hunter2@db' }), {}),
    () => loadConfig(write('{ "postgresUrl": "postgres://u:hunter2@db", }'), {}),
    () =>
      loadConfig(undefined, {
        WHOKILLED_POSTGRES_URL: 'postgres://u:hunter2@db',
        WHOKILLED_NATS_URL: 'u:hunter2@nats',
      }),
  ].map(messageOf)
  for (const message of messages) expect(message).not.toContain('hunter2')
  expect(messages[1]).toMatch(/expected JSON, found a fault at/)
})

let files = 0

function write(content: unknown): string {
  const file = join(folder, `${++files}.json`)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

function messageOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('expected an error')
}
