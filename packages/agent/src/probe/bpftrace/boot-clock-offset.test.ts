import { expect, test } from 'vitest'
import { bootOffset } from './boot-clock-offset.ts'

const monotonic = 100_000_000_000n

test('the exact difference holds as long as /proc/uptime agrees with it', () => {
  expect(bootOffset(7_000_000_123n, '107.00 3.00\n', monotonic)).toBe(7_000_000_123n)
  expect(bootOffset(7_000_000_123n, '107.31 3.00\n', monotonic)).toBe(7_000_000_123n)
})

test('after the machine has slept the coarse one holds', () => {
  expect(bootOffset(7_000_000_123n, '167.25 3.00\n', monotonic)).toBe(67_250_000_000n)
})
