import { expect, test } from 'vitest'
import { type GivenSettings, parseSettings as parse } from './settings.ts'
import type { SettingsFile } from './settings-file.ts'

const parseSettings = (given: GivenSettings, url: string | undefined, file: SettingsFile = {}, more = {}) =>
  parse(given, { WHOKILLED_URL: url, ...more }, file)

test('the option comes before the variable, and the variable before the default', () => {
  expect(parseSettings({}, undefined).url.href).toBe('http://127.0.0.1:9137/')
  expect(parseSettings({}, '').url.href).toBe('http://127.0.0.1:9137/')
  expect(parseSettings({}, 'https://kills.example/x').url.href).toBe('https://kills.example/x')
  expect(parseSettings({ url: 'http://a:1' }, 'http://b:2').url.href).toBe('http://a:1/')
})

test.each(['kills', 'ftp://kills', 'http://', 'http://user@kills', ''])('the address %j is wrong usage', (url) => {
  expect(() => parseSettings({ url }, undefined)).toThrow(/^--url: expected an http or https address/)
})

test('a password in an address is not printed', () => {
  expect(() => parseSettings({}, 'http://user:geheim@kills')).toThrow(/^WHOKILLED_URL: (?!.*geheim)/)
})

test.each(['0', '-1', 'soon', '601', '', '1e9'])('a timeout of %j is wrong usage', (timeout) => {
  expect(() => parseSettings({ timeout }, undefined)).toThrow(/^--timeout: expected seconds/)
})

test('a timeout is 10 s unless told', () => {
  expect(parseSettings({}, undefined).timeoutMs).toBe(10_000)
  expect(parseSettings({ timeout: '0.25' }, undefined).timeoutMs).toBe(250)
})

const token = `wk_${'x'.repeat(43)}`

test('the file is asked last, and its token goes to its own collector alone', () => {
  const file = { url: 'https://kills.example', token }
  expect(parseSettings({}, undefined, file)).toMatchObject({ token, url: new URL('https://kills.example') })
  expect(parseSettings({ url: 'https://kills.example/behind' }, undefined, file).token).toBe(token)
  expect(parseSettings({ url: 'https://other.example' }, undefined, file).token).toBeNull()
  expect(parseSettings({}, 'https://other.example', file).token).toBeNull()
  expect(parseSettings({}, 'https://other.example', file, { WHOKILLED_TOKEN: 'wk_y' }).token).toBe('wk_y')
  expect(parseSettings({}, undefined, { token }).token).toBe(token)
})

test.each(['http://10.0.0.1:9137', 'http://kills.example', 'http://127.0.0.1.example', 'http://[::2]'])(
  'a token does not go to %s in plain text unless told so',
  (url) => {
    expect(() => parseSettings({ url }, undefined, {}, { WHOKILLED_TOKEN: token })).toThrow(
      /^expected an https address/,
    )
    const told = { WHOKILLED_TOKEN: token, WHOKILLED_PLAINTEXT: 'true' }
    expect(parseSettings({ url }, undefined, {}, told).token).toBe(token)
    expect(parseSettings({ url }, undefined, { plaintext: true }, { WHOKILLED_TOKEN: token }).token).toBe(token)
    expect(parseSettings({ url }, undefined).token).toBeNull()
  },
)

test.each(['http://127.0.0.1:1', 'http://127.9.9.9', 'http://localhost', 'http://[::1]:1', 'https://kills.example'])(
  'a token goes to %s',
  (url) => {
    expect(parseSettings({ url }, undefined, {}, { WHOKILLED_TOKEN: ` ${token}\n` }).token).toBe(token)
  },
)

test.each(['a b', 'a\r\nx-forged: 1', '\0', 'é', ' ', 'postgres://u:pw@db/x', `wk_${'x'.repeat(5_000)}`])(
  '%j is no token, and is not repeated',
  (word) => {
    const parsing = () => parseSettings({}, undefined, {}, { WHOKILLED_TOKEN: word })
    expect(parsing).toThrow(/^WHOKILLED_TOKEN: expected a token, one word that begins with wk_, got another text\.$/)
  },
)
