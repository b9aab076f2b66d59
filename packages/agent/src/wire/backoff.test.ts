import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pauseAfter } from './backoff.ts'

test('each pause is twice as long as the one before, up to ten seconds', () => {
  const pauses = [1, 2, 3, 6, 7, 8, 1_000_000].map((failures) => pauseAfter(failures, 0.5))
  expect(pauses).toEqual([200, 400, 800, 6_400, 10_000, 10_000, 10_000])
})

test('agents that fail together do not try again together: by half more or less', () => {
  expect([0, 0.25, 0.75].map((random) => pauseAfter(8, random))).toEqual([5_000, 7_500, 12_500])
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: 1 }), random, (failures, part) => {
      expect(pauseAfter(failures, part)).toBeGreaterThanOrEqual(100)
      expect(pauseAfter(failures, part)).toBeLessThanOrEqual(15_000)
    }),
  )
})
