import { expect, test } from 'vitest'
import { Pace } from './pace.ts'

const never = new AbortController().signal

test('a second’s worth may go at once, and after that waits', async () => {
  const pace = new Pace(1_000)
  expect(await pace.allow(5_000, never)).toBe(1_000)
  pace.spend(1_000)
  expect(pace.counters).toEqual({ held: 0, heldMs: 0 })
  const next = await pace.allow(5_000, never)
  expect(next).toBeGreaterThan(0)
  expect(pace.counters.held).toBe(1)
  expect(pace.counters.heldMs).toBeGreaterThan(0)
})

test('what was allowed and not sent is not counted', async () => {
  const pace = new Pace(10)
  for (let time = 0; time < 5; time += 1) expect(await pace.allow(10, never)).toBe(10)
  expect(pace.counters.held).toBe(0)
})

test('without a limit nothing waits', async () => {
  const pace = new Pace(Number.POSITIVE_INFINITY)
  pace.spend(1_000_000)
  expect(await pace.allow(5_000, never)).toBe(5_000)
  expect(pace.counters.held).toBe(0)
})

test('who ends does not wait for it', async () => {
  const pace = new Pace(0.001)
  pace.spend(1)
  expect(await pace.allow(1, AbortSignal.abort())).toBe(1)
})
