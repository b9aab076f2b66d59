import { expect, test } from 'vitest'
import { parseSettings } from './settings.ts'

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
