import fc from 'fast-check'
import { expect, test } from 'vitest'
import { durationText } from './time-text.ts'

test.each([
  [0, '0 µs'],
  [0.04, '40 µs'],
  [0.0996, '0.1 ms'],
  [0.4, '0.4 ms'],
  [9.96, '10 ms'],
  [12, '12 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [2_500, '2.5 s'],
  [59_700, '1 min'],
  [90_000, '1 min 30 s'],
  [3_599_900, '1 h'],
  [11_100_000, '3 h 5 min'],
  [86_400_000, '1 d'],
  [187_200_000, '2 d 4 h'],
])('%d ms is %s', (ms, expected) => {
  expect(durationText(ms)).toBe(expected)
})

test('a duration never has more of a unit than the next larger one holds', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e10, noNaN: true }), (ms) => {
      expect(durationText(ms)).toMatch(/^\d+(\.\d)? (µs|ms|s|min|h|d)( \d+ (s|min|h))?$/)
      expect(durationText(ms)).not.toMatch(/\b1000 |\b60 (s|min)|\b24 h/)
    }),
  )
})
