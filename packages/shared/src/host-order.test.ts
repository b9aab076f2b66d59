import { expect, test } from 'vitest'
import type { ClockReading } from './event.ts'
import { hostOrderOf } from './host-order.ts'

const second = (seconds: number, host: string, clock: ClockReading | null) => ({
  at: `2026-11-22T19:40:${seconds.toFixed(6).padStart(9, '0')}Z`,
  host: { name: host },
  clock,
})
const sure = { offsetMs: 0, uncertaintyMs: 4 }

test('events of different hosts are in order if they are further apart than their clocks are known', () => {
  expect(hostOrderOf([second(2, 'web-4', sure), second(1.991, 'web-3', sure)])).toEqual({
    certain: true,
    uncertainPairs: 0,
    clocks: [
      { host: 'web-3', clock: sure },
      { host: 'web-4', clock: sure },
    ],
  })
  expect(hostOrderOf([second(2, 'web-4', sure), second(1.992, 'web-3', sure)])).toMatchObject({
    certain: false,
    uncertainPairs: 1,
  })
})

test('a clock that is off counts with what it is off by', () => {
  const ahead = { offsetMs: -3_600_000, uncertaintyMs: 4 }
  expect(hostOrderOf([second(30, 'web-4', ahead), second(2, 'web-3', sure)]).certain).toBe(false)
  expect(hostOrderOf([second(30, 'web-3', sure), second(2, 'web-4', ahead)]).certain).toBe(true)
})

test('one host is always in order with itself, a host whose clock is not known with no other', () => {
  expect(hostOrderOf([second(2, 'web-3', null), second(1, 'web-3', null)]).certain).toBe(true)
  expect(hostOrderOf([second(30, 'web-3', sure), second(1, 'web-4', null)])).toEqual({
    certain: false,
    uncertainPairs: 1,
    clocks: [
      { host: 'web-3', clock: sure },
      { host: 'web-4', clock: null },
    ],
  })
  expect(hostOrderOf([])).toEqual({ certain: true, uncertainPairs: 0, clocks: [] })
})
