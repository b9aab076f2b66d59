import { HostStatus } from '@whokilled/shared/http-api'
import { expect, test } from 'vitest'
import { countOf } from './count.ts'

test('a sum of what agents claim is a count that an answer can hold, however large', () => {
  expect(countOf('42')).toBe(42)
  const { lostEvents } = HostStatus.shape
  expect(lostEvents.safeParse(Number('9007199255871545')).success).toBe(false)
  expect(lostEvents.parse(countOf('9007199255871545'))).toBe(Number.MAX_SAFE_INTEGER)
})
