import { beforeEach, describe, expect, it } from 'vitest'
import { LossLog } from './attribution/loss-log.ts'
import { BootClock } from './clock.ts'
import { Coverage } from './coverage.ts'
import type { HeartbeatRecord } from './record/record.ts'

const second = 1_000_000_000n
const bootedAt = BigInt(Date.parse('2026-11-22T00:00:00Z')) * 1_000_000n
const timeAt = (seconds: number) => new Date(Date.UTC(2026, 10, 22, 0, 0, seconds)).toISOString().replace('Z', '000Z')

let losses: LossLog
let coverage: Coverage
beforeEach(() => {
  losses = new LossLog(0n)
  coverage = new Coverage(new BootClock({ real: bootedAt, boot: 0n }), losses)
})

function beat(seconds: number, counters: Partial<HeartbeatRecord> = {}): HeartbeatRecord {
  const time = BigInt(seconds) * second
  return { type: 'heartbeat', seq: seconds, time, real: bootedAt + time, mono: time, boot: time, ...counters }
}

describe('coverage', () => {
  it('begins with watching, from that moment on', () => {
    const [watching, ...others] = coverage.begin(10n * second, null)
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
    coverage.begin(10n * second, null)
    const told = Array.from({ length: 95 }, (_, index) => coverage.heartbeat(beat(11 + index))).flat()
    expect(told.map(({ state, from, to }) => [state, from, to])).toEqual([
      ['watching', timeAt(10), timeAt(40)],
      ['watching', timeAt(10), timeAt(70)],
      ['watching', timeAt(10), timeAt(100)],
    ])
  })

  it('tells of each loss once, as a gap between the moments around it', () => {
    coverage.begin(10n * second, null)
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
    coverage.begin(10n * second, null)
    const dropped = { count: 7, since: timeAt(12), reason: 'the disk was full' }
    expect(coverage.dropped(20n * second, dropped)).toMatchObject({
      state: 'gap',
      from: timeAt(12),
      to: timeAt(20),
      lostRecords: 7,
      reason: 'the disk was full',
    })
    expect(losses.between(13n * second, 14n * second)).toBe(7)
    expect(coverage.dropped(20n * second, { ...dropped, since: timeAt(99) })).toMatchObject({ from: timeAt(20) })
  })

  it('ends with what was watched and why it ended; the time until it begins again is a gap', () => {
    coverage.begin(10n * second, null)
    coverage.heartbeat(beat(11, { skipped: 4 }))
    expect(coverage.end(15n * second, 'the tracer crashed')).toMatchObject({
      state: 'stopped',
      from: timeAt(10),
      to: timeAt(15),
      reason: 'the tracer crashed',
      lostRecords: 4,
    })
    expect(coverage.begin(21n * second, 'the tracer crashed')).toMatchObject([
      { state: 'gap', from: timeAt(15), to: timeAt(21), reason: 'the tracer crashed', lostRecords: 0 },
      { state: 'watching', from: timeAt(21), lostRecords: 0 },
    ])
    expect(losses.total).toBe(0)
    expect(coverage.heartbeat(beat(22, { skipped: 1 }))).toMatchObject([{ state: 'gap', lostRecords: 1 }])
  })

  it('gives each event a key of its own', () => {
    const keys = [
      ...coverage.begin(10n * second, null),
      ...coverage.heartbeat(beat(11, { skipped: 1 })),
      ...coverage.heartbeat(beat(41, { skipped: 1 })),
      ...coverage.heartbeat(beat(71, { skipped: 2 })),
      coverage.end(80n * second, 'stopped'),
      ...coverage.begin(90n * second, 'stopped'),
    ].map(({ key }) => key)
    expect(new Set(keys).size).toBe(8)
    expect(keys).toHaveLength(8)
  })
})
