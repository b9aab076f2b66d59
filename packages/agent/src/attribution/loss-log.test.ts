import { expect, test } from 'vitest'
import { type Gap, LossLog } from './loss-log.ts'

const gap = (from: number, to: number, facts: Partial<Gap> = {}): Gap => {
  const reason = 'records were lost'
  return { from: seconds(from), to: seconds(to), lost: 1, why: 'records-lost', reason, ...facts }
}
const seconds = (count: number) => BigInt(Math.round(count * 1_000)) * 1_000_000n
const unwatched = { lost: 0, why: 'agent-killed', reason: 'the agent was killed or crashed' } as const

test('a gap is found by any stretch of time that touches it', () => {
  const losses = new LossLog(0n)
  losses.add(gap(10, 12))
  for (const [from, to] of [
    [9, 10],
    [11, 11],
    [12, 90],
    [0, 99],
  ] as const)
    expect(losses.gapsBetween(seconds(from), seconds(to))).toHaveLength(1)
  expect(losses.gapsBetween(seconds(0), seconds(9.999))).toEqual([])
  expect(losses.gapsBetween(seconds(12.001), seconds(99))).toEqual([])
})

test('losses that lie close together are one gap, of all that was lost', () => {
  const losses = new LossLog(0n)
  losses.add(gap(10, 12, { lost: 2 }))
  losses.add(gap(12.5, 13, { lost: 3 }))
  losses.add(gap(13.1, 14, unwatched))
  losses.add(gap(20, 21))
  expect(losses.gapsBetween(0n, seconds(99))).toMatchObject([
    { from: seconds(10), to: seconds(13), lost: 5 },
    { from: seconds(13.1), to: seconds(14), lost: 0 },
    { from: seconds(20), lost: 1 },
  ])
  expect(losses.total).toBe(6)
})

test('what was lost before a new watching is known on, and no longer counted', () => {
  const losses = new LossLog(0n)
  losses.add(gap(10, 12))
  losses.restart(seconds(20))
  expect(losses.total).toBe(0)
  expect(losses.watchedSince).toBe(seconds(20))
  expect(losses.gapsBetween(seconds(11), seconds(30))).toHaveLength(1)
})

test('a host that loses records for ever keeps a bounded log, and forgets no gap: old ones become wider', () => {
  const losses = new LossLog(0n)
  losses.add(gap(1, 2, unwatched))
  for (let index = 1; index <= 1_000; index += 1) losses.add(gap(index * 10, index * 10 + 1))
  expect(losses.gapsBetween(0n, seconds(100_000))).toHaveLength(256)
  expect(losses.gapsBetween(seconds(1.5), seconds(1.5))).toMatchObject([{ lost: 0 }])
  expect(losses.gapsBetween(seconds(9_995), seconds(9_995.5))).toEqual([])
})
