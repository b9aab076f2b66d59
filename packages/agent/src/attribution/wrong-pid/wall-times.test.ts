import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BootClock } from '../../clock.ts'
import { WallTimes } from './wall-times.ts'

const second = 1_000_000_000n
const hour = 3_600n * second
/** Wall-clock time at boot. */
const booted = BigInt(Date.UTC(2026, 10, 22)) * 1_000_000n

/** Heartbeats each second of a host whose clock is set, at some of them, by so much. */
function watched(seconds: number, steps: Record<number, bigint> = {}): WallTimes {
  const times = new WallTimes()
  let set = 0n
  for (let at = 100; at < 100 + seconds; at += 1) {
    set += steps[at] ?? 0n
    times.learn(BigInt(at) * second, booted + BigInt(at) * second + set)
  }
  return times
}

describe('the time of a file as record time', () => {
  it('is the wall clock less the time of boot, also before the watching and before the boot', () => {
    const times = watched(10)
    for (const at of [105n, 3n, -5n]) {
      expect(times.moment(booted + at * second)).toEqual({ earliest: at * second, latest: at * second })
    }
  })

  it('is that of the clock before it was set, for a file of before', () => {
    const times = watched(20, { 110: hour })
    expect(times.moment(booted + 105n * second)).toEqual({ earliest: 105n * second, latest: 105n * second })
    expect(times.moment(booted + hour + 115n * second)).toEqual({ earliest: 115n * second, latest: 115n * second })
  })

  it('is not known if no clock of this boot has said so', () => {
    const times = watched(20, { 110: hour })
    expect(times.moment(booted + 1_000n * second)).toBeUndefined()
    expect(watched(0).moment(booted)).toBeUndefined()
    for (const time of [-1n, 10n ** 21n, 10n ** 40n]) expect(watched(10).moment(time)).toBeUndefined()
  })

  it('is a span if the clock was set back and said it twice', () => {
    const times = watched(30, { 115: -10n * second })
    expect(times.moment(booted + 108n * second)).toEqual({ earliest: 108n * second, latest: 118n * second })
  })

  it('is known from the agent’s clock before the first heartbeat', () => {
    const times = new WallTimes()
    times.begin(100n * second, new BootClock({ real: booted + 100n * second, boot: 100n * second }))
    expect(times.moment(booted + 90n * second)).toEqual({ earliest: 90n * second, latest: 90n * second })
  })

  it('never leaves out when it really was, however the clock was set while watched', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 101, max: 139 }), fc.bigInt(-5_000n, 5_000n)), { maxLength: 6 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 100, max: 139 }), (given, at) => {
        const set = Object.fromEntries(given.map(([when, by]) => [when, by * second]))
        const shift = Object.entries(set).reduce((sum, [when, by]) => (Number(when) <= at ? sum + by : sum), 0n)
        const really = BigInt(at) * second + 1n
        const moment = watched(40, set).moment(booted + really + shift)
        expect(moment).toBeDefined()
        expect((moment?.earliest ?? 0n) <= really && (moment?.latest ?? 0n) >= really).toBe(true)
      }),
    )
  })
})
