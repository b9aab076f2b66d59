import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasUnprintable, shortened, terminalText } from './terminal-text.ts'

test.each([
  ['a\x1b[31mb', 'a\\x1b[31mb'],
  ['\t\n\r\0\x7f\x9b', '\\x09\\x0a\\x0d\\x00\\x7f\\x9b'],
  ['\u202eabc\u202c \u2066x\u2069', '\\u202eabc\\u202c \\u2066x\\u2069'],
  ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['zero\u200bwidth\ufeff', 'zero\\u200bwidth\\ufeff'],
  ['\ud800', '\\ud800'],
  ['tag\u{e0041}', 'tag\\U000e0041'],
  ['数据库 Ångström 🚀', '数据库 Ångström 🚀'],
  ['back\\slash', 'back\\slash'],
])('%j is shown as %s', (text, expected) => {
  expect(terminalText(text)).toBe(expected)
  expect(hasUnprintable(text)).toBe(text !== expected)
})

test('nothing that a terminal obeys is left, and twice is the same as once', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const safe = terminalText(text)
      expect(safe).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      expect(terminalText(safe)).toBe(safe)
    }),
  )
})

test('shortening keeps whole characters', () => {
  expect(shortened('🚀🚀🚀', 3)).toBe('🚀🚀🚀')
  expect(shortened('🚀🚀🚀🚀', 3)).toBe('🚀🚀…')
})
