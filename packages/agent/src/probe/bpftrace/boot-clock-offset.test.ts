import { expect, test } from 'vitest'
import { bootOffset } from './boot-clock-offset.ts'
import { mountOf } from './cgroup-paths.ts'

const monotonic = 100_000_000_000n

test('the exact difference holds as long as /proc/uptime agrees with it', () => {
  expect(bootOffset(7_000_000_123n, '107.00 3.00\n', monotonic)).toBe(7_000_000_123n)
  expect(bootOffset(7_000_000_123n, '107.31 3.00\n', monotonic)).toBe(7_000_000_123n)
})

test('after the machine has slept the coarse one holds', () => {
  expect(bootOffset(7_000_000_123n, '167.25 3.00\n', monotonic)).toBe(67_250_000_000n)
})

test('the unified hierarchy is found beside the old ones, and under a name with a space', () => {
  expect(mountOf('cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n')).toBe('/sys/fs/cgroup')
  expect(mountOf('cgroup /a cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/uni\\040fied cgroup2 rw 0 0\n')).toBe(
    '/sys/fs/cgroup/uni fied',
  )
  expect(mountOf('proc /proc proc rw 0 0\n')).toBeUndefined()
})
