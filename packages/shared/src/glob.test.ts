import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitsGlob } from './glob.ts'

test('a pattern without a star fits itself alone', () => {
  expect(fitsGlob('nginx', 'nginx')).toBe(true)
  expect(fitsGlob('nginx', 'nginx2')).toBe(false)
  expect(fitsGlob('n.inx', 'nginx')).toBe(false)
})

test('a star stands for any characters, and what is around it does not overlap', () => {
  expect(fitsGlob('web-*.service', 'web-3.service')).toBe(true)
  expect(fitsGlob('*', '')).toBe(true)
  expect(fitsGlob('ab*ba', 'aba')).toBe(false)
  expect(fitsGlob('a*b*b', 'ab')).toBe(false)
})

test('it fits what the same pattern as a regular expression fits', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '\n'), maxLength: 12 })
  fc.assert(
    fc.property(text, text, (pattern, candidate) => {
      const expression = new RegExp(`^${pattern.split('*').join('[^]*')}$`)
      expect(fitsGlob(pattern, candidate)).toBe(expression.test(candidate))
    }),
    { numRuns: 5_000 },
  )
})
