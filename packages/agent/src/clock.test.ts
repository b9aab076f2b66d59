import { expect, test } from 'vitest'
import { BootClock } from './clock.ts'

const at = (iso: string) => BigInt(Date.parse(iso)) * 1_000_000n

test('a record has the time that the wall clock showed then, to the microsecond', () => {
  const clock = new BootClock({ real: at('2026-11-22T10:00:00Z'), boot: 5_000_000_000n })
  expect(clock.timestamp(5_000_000_000n)).toBe('2026-11-22T10:00:00.000000Z')
  expect(clock.timestamp(6_234_567_891n)).toBe('2026-11-22T10:00:01.234567Z')
  expect(clock.timestamp(0n)).toBe('2026-11-22T09:59:55.000000Z')
})

test('after the wall clock was set, times are told by the new one', () => {
  const clock = new BootClock({ real: at('2026-11-22T10:00:00Z'), boot: 0n })
  expect(clock.learn({ real: at('2026-11-22T12:00:10Z'), boot: 10_000_000_000n })).toBe(7_200_000_000_000n)
  expect(clock.learn({ real: at('2026-11-22T12:00:11Z'), boot: 11_000_000_000n })).toBe(0n)
  expect(clock.timestamp(11_000_000_000n)).toBe('2026-11-22T12:00:11.000000Z')
})

test('a timestamp leads back to the time since boot, to the microsecond, also to one before it', () => {
  const clock = new BootClock({ real: at('2026-11-22T10:00:00Z'), boot: 5_000_000_000n })
  expect(clock.bootTime('2026-11-22T10:00:01.250000Z')).toBe(6_250_000_000n)
  const before = '2026-11-22T09:00:00.123456Z'
  expect(clock.bootTime(before)).toBeLessThan(0n)
  expect(clock.timestamp(clock.bootTime(before))).toBe(before)
})
