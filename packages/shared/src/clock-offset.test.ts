import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ClockOffset, type Clocks, type Exchange } from './clock-offset.ts'

/** A machine whose wall clock is `behindMs` behind the fleet's. */
const at = (steadyMs: number, behindMs: number): Clocks => ({ wallMs: steadyMs - behindMs, steadyMs })

interface Way {
  readonly startMs: number
  readonly thereMs: number
  readonly backMs: number
}

/** The fleet's clock shows the same as the steady one. */
function exchange(behindMs: number, { startMs, thereMs, backMs }: Way, uncertaintyMs = 0): Exchange {
  const atMs = startMs + thereMs
  return { asked: at(startMs, behindMs), answered: at(atMs + backMs, behindMs), answer: { atMs, uncertaintyMs } }
}

const even = { startMs: 1_000, thereMs: 4, backMs: 4 }

test('the offset is what has to be added, sure to half the way and the reading of the clocks', () => {
  const offset = new ClockOffset()
  expect(offset.at(at(1_000, 250))).toBeNull()
  expect(offset.learn(exchange(250, even, 2))).toBe(true)
  expect(offset.at(at(1_008, 250))).toEqual({ offsetMs: 250, uncertaintyMs: 7 })
})

test('however uneven the way, the truth lies within the uncertainty, now and later', () => {
  const ms = fc.double({ min: 0, max: 500, noNaN: true })
  const behind = fc.double({ min: -1e7, max: 1e7, noNaN: true })
  fc.assert(
    fc.property(behind, fc.array(fc.tuple(ms, ms, ms), { minLength: 1, maxLength: 8 }), ms, (behindMs, ways, later) => {
      const offset = new ClockOffset()
      let startMs = 0
      for (const [thereMs, backMs, pauseMs] of ways) {
        offset.learn(exchange(behindMs, { startMs, thereMs, backMs }))
        startMs += thereMs + backMs + pauseMs
      }
      const told = offset.at(at(startMs + later, behindMs))
      expect(Math.abs((told?.offsetMs ?? Number.NaN) - behindMs)).toBeLessThanOrEqual((told?.uncertaintyMs ?? 0) + 0.01)
    }),
  )
})

test('of two measurements the surer one counts, until its age has made it less sure', () => {
  const offset = new ClockOffset()
  offset.learn(exchange(0, even))
  offset.learn(exchange(0, { startMs: 2_000, thereMs: 80, backMs: 0 }))
  expect(offset.at(at(2_080, 0))?.offsetMs).toBe(0)
  offset.learn(exchange(0, { startMs: 200_000, thereMs: 80, backMs: 0 }))
  expect(offset.at(at(200_080, 0))).toEqual({ offsetMs: 40, uncertaintyMs: 41 })
})

test('it gets less sure with time, by half a millisecond a second', () => {
  const offset = new ClockOffset()
  offset.learn(exchange(0, even))
  expect(offset.at(at(61_008, 0))?.uncertaintyMs).toBe(35)
})

test('a clock that was set, or a machine that slept, is not known any more', () => {
  const offset = new ClockOffset()
  offset.learn(exchange(0, even))
  expect(offset.at({ wallMs: 2_000, steadyMs: 2_004 })).toEqual({ offsetMs: 0, uncertaintyMs: 9.498 })
  expect(offset.at({ wallMs: 3_602_000, steadyMs: 2_000 })).toBeNull()
  expect(offset.at({ wallMs: 1_000, steadyMs: 2_000 })).toBeNull()
})

test('an exchange in whose middle the clock was set tells nothing', () => {
  const offset = new ClockOffset()
  const { asked, answer } = exchange(0, even)
  expect(offset.learn({ asked, answer, answered: { wallMs: 5_000, steadyMs: 1_008 } })).toBe(false)
  expect(offset.at(asked)).toBeNull()
})
