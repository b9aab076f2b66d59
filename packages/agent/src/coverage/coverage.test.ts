import { beforeEach, describe, expect, it } from 'vitest'
import { LossLog } from '../attribution/loss-log.ts'
import { BootClock } from '../clock.ts'
import type { HeartbeatRecord } from '../record/record.ts'
import { Coverage } from './coverage.ts'

const second = 1_000_000_000n
const bootedAt = BigInt(Date.parse('2026-11-22T00:00:00Z')) * 1_000_000n
const timeAt = (seconds: number) => new Date(Date.UTC(2026, 10, 22, 0, 0, seconds)).toISOString().replace('Z', '000Z')

let losses: LossLog
let coverage: Coverage
let clock: BootClock
beforeEach(() => {
  losses = new LossLog(0n)
  clock = new BootClock({ real: bootedAt, boot: 0n })
  coverage = new Coverage(clock, losses)
})

function beat(seconds: number, counters: Partial<HeartbeatRecord> = {}): HeartbeatRecord {
  const time = BigInt(seconds) * second
  return { type: 'heartbeat', seq: seconds, time, real: bootedAt + time, mono: time, boot: time, ...counters }
}

const crashed = { why: 'probe-ended', reason: 'the tracer crashed' } as const

describe('coverage', () => {
  it('begins with watching, from that moment on', () => {
    const [watching, ...others] = coverage.begin(10n * second, undefined)
    expect(watching).toMatchObject({
      state: 'watching',
      from: timeAt(10),
      to: timeAt(10),
      reason: null,
      lostRecords: 0,
    })
    expect(others).toEqual([])
    expect(losses.watchedSince).toBe(10n * second)
  })

  it('says every 30 s that the watching goes on, and not more often', () => {
    coverage.begin(10n * second, undefined)
    const told = Array.from({ length: 95 }, (_, index) => coverage.heartbeat(beat(11 + index))).flat()
    expect(told.map(({ state, from, to }) => [state, from, to])).toEqual([
      ['watching', timeAt(10), timeAt(40)],
      ['watching', timeAt(10), timeAt(70)],
      ['watching', timeAt(10), timeAt(100)],
    ])
  })

  it('tells of each loss once, as a gap between the moments around it', () => {
    coverage.begin(10n * second, undefined)
    coverage.heartbeat(beat(11))
    const hole = { type: 'hole' as const, fromSeq: 12, lost: 3, after: 11n * second, before: 12n * second }
    expect(coverage.hole(hole)).toMatchObject({ state: 'gap', from: timeAt(11), to: timeAt(12), lostRecords: 3 })
    expect(coverage.heartbeat(beat(12, { skipped: 2, reentrant: 1, errors: 1 }))).toMatchObject([
      { state: 'gap', from: timeAt(11), to: timeAt(12), lostRecords: 4, reason: 'the tracer skipped probe hits' },
    ])
    expect(coverage.heartbeat(beat(13, { skipped: 2, reentrant: 1, errors: 1 }))).toEqual([])
    expect(coverage.heartbeat(beat(14, { skipped: 5, reentrant: 1, errors: 1 }))).toMatchObject([{ lostRecords: 3 }])
    expect(coverage.heartbeat(beat(45, { skipped: 5, reentrant: 1, errors: 1 }))).toMatchObject([
      { state: 'watching', lostRecords: 10 },
    ])
    expect(losses.total).toBe(10)
  })

  it('tells of events that were not kept, since the first of them', () => {
    coverage.begin(10n * second, undefined)
    const dropped = { count: 7, since: timeAt(12), reason: 'the disk was full' }
    expect(coverage.dropped(20n * second, dropped)).toMatchObject({
      state: 'gap',
      from: timeAt(12),
      to: timeAt(20),
      lostRecords: 7,
      reason: 'the disk was full',
    })
    expect(losses.total).toBe(7)
    // They were decided on before: no verdict is weaker for it.
    expect(losses.gapsBetween(13n * second, 14n * second)).toEqual([])
    expect(coverage.dropped(20n * second, { ...dropped, since: timeAt(99) })).toMatchObject({ from: timeAt(20) })
  })

  it('ends with what was watched and why it ended; the time until it begins again is a gap', () => {
    coverage.begin(10n * second, undefined)
    coverage.heartbeat(beat(11, { skipped: 4 }))
    expect(coverage.end(15n * second, crashed)).toMatchObject({
      state: 'stopped',
      why: 'probe-ended',
      from: timeAt(10),
      to: timeAt(15),
      reason: 'the tracer crashed',
      lostRecords: 4,
    })
    expect(coverage.begin(21n * second, crashed)).toMatchObject([
      { state: 'gap', from: timeAt(15), to: timeAt(21), ...crashed, lostRecords: 0 },
      { state: 'watching', from: timeAt(21), lostRecords: 0 },
    ])
    expect(losses.total).toBe(0)
    expect(losses.gapsBetween(20n * second, 30n * second)).toMatchObject([{ why: 'probe-ended', lost: 0 }])
    expect(coverage.heartbeat(beat(22, { skipped: 1 }))).toMatchObject([{ state: 'gap', lostRecords: 1 }])
  })

  it('gives each event a key of its own', () => {
    const keys = [
      ...coverage.begin(10n * second, undefined),
      ...coverage.heartbeat(beat(11, { skipped: 1 })),
      ...coverage.heartbeat(beat(41, { skipped: 1 })),
      ...coverage.heartbeat(beat(71, { skipped: 2 })),
      coverage.end(80n * second, crashed),
      ...coverage.begin(90n * second, crashed),
    ].map(({ key }) => key)
    expect(new Set(keys).size).toBe(8)
    expect(keys).toHaveLength(8)
  })

  it('has the time that the host was asleep as a gap, in which no record can be missing', () => {
    coverage.begin(10n * second, undefined)
    coverage.heartbeat(beat(11))
    const threeHours = 10_800n * second
    const awake = (seconds: number) => ({ mono: BigInt(seconds) * second - threeHours })
    expect(coverage.heartbeat(beat(10_812, awake(10_812)))).toMatchObject([
      { state: 'gap', why: 'host-suspended', reason: 'the host was suspended for 3 h', lostRecords: 0 },
      { state: 'watching' },
    ])
    expect(coverage.heartbeat(beat(10_813, awake(10_813)))).toEqual([])
    expect(losses.gapsBetween(11n * second, 10_813n * second)).toEqual([])
  })

  it('does not take the readings of two clocks for a sleep', () => {
    coverage.begin(10n * second, undefined)
    const told = [0n, 900_000_000n, 0n, 20_000_000n].map((late, index) =>
      coverage.heartbeat(beat(11 + index, { mono: BigInt(11 + index) * second - late })),
    )
    expect(told.flat()).toEqual([])
  })

  it('goes on where an earlier run of the agent ended, and says what that one could not', () => {
    const killed = { why: 'agent-killed', reason: 'the agent was killed or crashed' } as const
    const earlier = { watchedSince: 2n * second, until: 7n * second, untilText: timeAt(7), ...killed }
    expect(coverage.resume({ ...earlier, hasSaidSo: true })).toEqual([])
    expect(coverage.resume({ ...earlier, hasSaidSo: false })).toMatchObject([
      { state: 'stopped', from: timeAt(2), to: timeAt(7), ...killed },
    ])
    expect(coverage.begin(10n * second, killed)).toMatchObject([
      { state: 'gap', from: timeAt(7), to: timeAt(10), ...killed },
      { state: 'watching', from: timeAt(10) },
    ])
    expect(losses.gapsBetween(8n * second, 8n * second)).toMatchObject([killed])
  })

  it('has no gap that ends before it begins, also if the clock was set back over a restart of the host', () => {
    coverage.resume({ watchedSince: 0n, until: 99n * second, untilText: timeAt(99), hasSaidSo: true, ...crashed })
    expect(coverage.begin(10n * second, crashed)).toMatchObject([{ from: timeAt(10), to: timeAt(10) }, {}])
  })

  it('says how far the clock was set, so that no time is left that nobody seems to have watched', () => {
    coverage.begin(10n * second, undefined)
    coverage.heartbeat(beat(11))
    const hour = 3_600n * second
    const set = (seconds: number, by: bigint) => ({ real: bootedAt + BigInt(seconds) * second + by })
    expect(coverage.heartbeat(beat(12, set(12, hour)))).toMatchObject([
      {
        state: 'gap',
        why: 'clock-set',
        reason: 'the clock was set forward by 1 h',
        from: timeAt(12),
        to: timeAt(3_612),
      },
    ])
    expect(coverage.heartbeat(beat(13, set(13, hour + 400_000n)))).toEqual([])
    const back = { why: 'clock-set', reason: 'the clock was set back by 1 h', from: timeAt(14), to: timeAt(14) }
    expect(coverage.heartbeat(beat(14, set(14, 0n)))).toMatchObject([back])
    expect(losses.gapsBetween(11n * second, 20n * second)).toEqual([])
  })

  it('begins a gap at the moment until which it said that it watched, however the clock has moved since', () => {
    coverage.begin(10n * second, undefined)
    coverage.heartbeat(beat(11))
    expect(coverage.end(11n * second, crashed)).toMatchObject({ to: timeAt(11) })
    clock.learn({ real: bootedAt + 20n * second + 700_000n, boot: 20n * second })
    expect(coverage.begin(20n * second, crashed)).toMatchObject([{ from: timeAt(11) }, {}])
  })
})
