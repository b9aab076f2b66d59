import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordOrder } from './order.ts'
import type { KernelRecord } from './record.ts'

const record = (seq: number, ms = seq): KernelRecord => ({
  type: 'exit',
  seq,
  time: BigInt(ms) * 1_000_000n,
  pid: seq,
  code: 0,
})

const sequence = (out: readonly { type: string; seq?: number }[]) => out.map((one) => one.seq ?? one.type)

describe('the order of records', () => {
  it('is that of their sequence numbers, however they were shuffled within the window', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...Array(40).keys()], { minLength: 40 }), (shuffled) => {
        const order = new RecordOrder({ windowRecords: 40 })
        const out = shuffled.flatMap((index) => order.push(record(index + 1)))
        expect(sequence(out)).toEqual([...Array(40).keys()].map((index) => index + 1))
        expect(order.counters.lost).toBe(0)
      }),
    )
  })

  it('tells of each missing number once, when the window is full', () => {
    const order = new RecordOrder({ windowRecords: 3 })
    const out = [1, 2, 5, 6, 7, 8].flatMap((seq) => order.push(record(seq)))
    expect(sequence(out)).toEqual([1, 2, 'hole', 5, 6, 7, 8])
    expect(out[2]).toEqual({ type: 'hole', fromSeq: 3, lost: 2, after: 2_000_000n, before: 5_000_000n })
  })

  it('tells of a missing number when record time has passed, as heartbeats do', () => {
    const order = new RecordOrder({ windowMs: 2_000 })
    const out = [record(1, 0), record(3, 10), record(4, 1_500), record(5, 2_100)].flatMap((one) => order.push(one))
    expect(sequence(out)).toEqual([1, 'hole', 3, 4, 5])
  })

  it('does not give up what was on its way when the host went to sleep', () => {
    const order = new RecordOrder({ windowMs: 2_000 })
    const hours = 3 * 3_600_000
    const late = [record(1, 0), record(3, 10), record(4, hours), record(2, 5), record(5, hours + 500)]
    expect(sequence(late.flatMap((one) => order.push(one)))).toEqual([1, 2, 3, 4, 5])
    const lost = [record(7, 2 * hours), record(8, 2 * hours + 1_000), record(9, 2 * hours + 2_001)]
    expect(sequence(lost.flatMap((one) => order.push(one)))).toEqual(['hole', 7, 8, 9])
  })

  it('counts what comes after it was given up, and what comes twice, and passes neither on', () => {
    const order = new RecordOrder({ windowRecords: 1 })
    const out = [1, 3, 4, 2, 4].flatMap((seq) => order.push(record(seq)))
    expect(sequence(out)).toEqual([1, 'hole', 3, 4])
    expect(order.counters).toEqual({ late: 2, lost: 1, waitingMax: 2 })
  })

  it('passes on what waits when the probe ends', () => {
    const order = new RecordOrder()
    expect(sequence([1, 4, 7].flatMap((seq) => order.push(record(seq))))).toEqual([1])
    expect(sequence(order.flush())).toEqual(['hole', 4, 'hole', 7])
  })

  it('neither loses nor doubles a record, whatever is dropped', () => {
    fc.assert(
      fc.property(fc.subarray([...Array(60).keys()]), fc.integer({ min: 1, max: 20 }), (kept, windowRecords) => {
        const order = new RecordOrder({ windowRecords })
        const out = [...kept.flatMap((index) => order.push(record(index + 1))), ...order.flush()]
        const holes = out.reduce((sum, one) => sum + (one.type === 'hole' ? one.lost : 0), 0)
        const last = kept.at(-1)
        expect(sequence(out).filter((seq) => seq !== 'hole')).toEqual(kept.map((index) => index + 1))
        expect(holes).toBe(last === undefined ? 0 : last + 1 - kept.length)
      }),
    )
  })
})
