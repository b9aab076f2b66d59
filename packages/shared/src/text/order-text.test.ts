import { expect, test } from 'vitest'
import { orderSentences } from './order-text.ts'

const fine = { host: 'web-3', clock: { offsetMs: 3, uncertaintyMs: 4 } }

test('nothing is said where the order stands and no clock is off', () => {
  expect(orderSentences({ certain: true, uncertainPairs: 0, clocks: [fine] })).toEqual([])
})

test('a clock that is off by a second or more is named', () => {
  const ahead = { host: 'web-4', clock: { offsetMs: -3_600_000, uncertaintyMs: 4 } }
  const behind = { host: 'web-5', clock: { offsetMs: 90_000, uncertaintyMs: 4 } }
  expect(orderSentences({ certain: true, uncertainPairs: 0, clocks: [fine, ahead, behind] })).toEqual([
    'the clock of web-4 was 1 h ahead; its times are its own',
    'the clock of web-5 was 1 min 30 s behind; its times are its own',
  ])
})

test('an order that is not certain is said with why', () => {
  expect(orderSentences({ certain: false, uncertainPairs: 1, clocks: [fine] })).toEqual([
    'two of different hosts may have happened in another order (clocks are known to 4.0 ms)',
  ])
  const unknown = Array.from({ length: 7 }, (_, index) => ({ host: `db-${index}`, clock: null }))
  expect(orderSentences({ certain: false, uncertainPairs: 9, clocks: [fine, ...unknown] })).toEqual([
    'some of different hosts may have happened in another order (nobody has measured the clock of db-0, db-1, db-2, db-3, db-4 and 2 more)',
  ])
})
