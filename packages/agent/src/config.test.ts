import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfig } from './config.ts'
import { ConfigError } from './errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'whokilled-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileOf(content: unknown): string {
  const file = join(folder, 'agent.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

function errorOf(content: unknown, environment: NodeJS.ProcessEnv = {}): ConfigError {
  try {
    loadConfig(fileOf(content), environment, {})
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return error as ConfigError
  }
  throw new Error('expected the settings to be refused')
}

describe('the settings', () => {
  it('have a default for everything, and cannot be changed', () => {
    const config = loadConfig(undefined, {}, {})
    expect(config).toMatchObject({ natsUrl: 'nats://127.0.0.1:4222', probe: 'auto', spoolEventsMax: 500_000 })
    expect(Object.isFrozen(config)).toBe(true)
  })

  it('of the environment win over the file, those of the command line over both', () => {
    const file = fileOf({ natsUrl: 'nats://file', probe: 'stap', stateFolder: '/file', logLevel: 'warn' })
    const config = loadConfig(file, { WHOKILLED_NATS_URL: 'nats://environment' }, { probe: 'bpftrace' })
    expect(config).toMatchObject({
      natsUrl: 'nats://environment',
      probe: 'bpftrace',
      stateFolder: '/file',
      logLevel: 'warn',
    })
    expect(loadConfig(file, { WHOKILLED_NATS_URL: '' }, { probe: undefined })).toMatchObject({
      natsUrl: 'nats://file',
      probe: 'stap',
    })
  })

  it('take the URL from a file of its own, and from the environment rather than from that', () => {
    const secret = join(folder, 'nats-url')
    writeFileSync(secret, 'nats://agent:secret@nats:4222\n')
    const file = fileOf({ natsUrl: 'nats://file', natsUrlFile: secret })
    const config = loadConfig(file, {}, {})
    expect(config.natsUrl).toBe('nats://agent:secret@nats:4222')
    expect(config).not.toHaveProperty('natsUrlFile')
    expect(loadConfig(file, { WHOKILLED_NATS_URL: 'nats://environment' }, {}).natsUrl).toBe('nats://environment')
  })

  it.each([
    [{ natsURL: 'nats://x' }, 'unknown setting natsURL, did you mean natsUrl?'],
    [{ services: [{ name: 'a', comand: 'b' }] }, 'unknown setting services.0.comand'],
    [{ publish: { signal: true } }, 'unknown setting publish.signal, did you mean signals?'],
    [{ probe: 'dtrace' }, 'probe: expected auto, stap, bpftrace or replay:FILE'],
    [{ spoolEventsMax: 7 }, 'spoolEventsMax: Too small'],
    [{ metricsPort: 70_000 }, 'metricsPort: Too big'],
    [{ natsUrl: 'http://nats' }, 'natsUrl: expected URLs that begin with nats:// or tls://'],
    [{ natsUrl: 'nats://a,b:4222' }, 'natsUrl: expected URLs that begin with nats:// or tls://'],
  ])('%j are refused, with what is wrong', (content, message) => {
    const error = errorOf(content)
    expect(error.code).toBe('config-invalid')
    expect(error.message).toContain(message)
    expect(error.hint).not.toBe('')
  })

  it('that are wrong are named all at once', () => {
    expect(errorOf({ probe: 'x', hostName: '', logLevel: 'loud' }).message.split('; ')).toHaveLength(3)
  })

  it('are refused without repeating what may be a secret', () => {
    const secret = join(folder, 'bad-url')
    writeFileSync(secret, 'agent:hunter2@nats')
    const errors = [
      errorOf({ natsUrl: 'agent:hunter2@nats' }),
      errorOf({ natsUrlFile: secret }),
      errorOf({}, { WHOKILLED_NATS_URL: 'agent:hunter2@nats' }),
      errorOf('{ "natsUrl": "nats://agent:hunter2@nats" oops }'),
      errorOf('{ "natsUrl": "nats://agent:hunter2@nats'),
      errorOf({ hunter2: { password: 'hunter2' }, metricsPort: 'hunter2' }),
    ]
    for (const { message, hint } of errors.slice(0, 5)) expect(`${message} ${hint}`).not.toContain('hunter2')
    expect(errors.at(-1)?.message).not.toContain('"hunter2"')
  })

  it.each([
    ['[]', 'expected a JSON object'],
    ['null', 'expected a JSON object'],
    ['{ "probe": "stap", }', 'expected JSON, found a fault at position'],
    ['', 'expected JSON, found a fault at its end'],
  ])('in a file that holds %j are refused', (content, message) => {
    const error = errorOf(content)
    expect(error).toMatchObject({ code: 'config-not-json', message: expect.stringContaining(message) })
  })

  it('in a file that is not there are refused with its path', () => {
    const read = () => loadConfig(join(folder, 'none.json'), {}, {})
    expect(read).toThrow(expect.objectContaining({ code: 'config-unreadable' }))
    expect(read).toThrow(/none\.json/)
    expect(() => loadConfig(fileOf({ natsUrlFile: '/none/url' }), {}, {})).toThrow(/\/none\/url/)
  })
})
