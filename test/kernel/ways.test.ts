import type { Event } from '@whokilled/shared/event'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GuestWays, rootOf, runInGuestWays } from '../ways/in-guest.ts'
import { faultsOf, type ProbeName } from '../ways/judge.ts'
import { eventsOf } from '../ways/tell.ts'
import type { Way } from '../ways/way.ts'
import { ways } from '../ways/ways.ts'

/**
 * Every way to die, made to happen anew: under SystemTap all of them, under bpftrace those that need a machine of their
 * own or a whole system. The others are proven on this machine's kernel (test/ways/live.test.ts).
 */
const all = [...ways.values()].flat()
const tried: readonly [ProbeName, readonly Way[]][] = [
  ['systemtap', all],
  ['bpftrace', all.filter(({ needs }) => needs !== undefined)],
]
const runs = new Map<'small' | 'debian', GuestWays>()
const right = new Map<ProbeName, number>(tried.map(([probe]) => [probe, 0]))

beforeAll(async () => {
  for (const root of ['small', 'debian'] as const) {
    const here = all.filter((way) => rootOf(way) === root)
    if (here.length > 0) runs.set(root, await runInGuestWays(here, root))
  }
})

afterAll(() => {
  for (const [probe, { length }] of tried) console.log(`${probe}: ${right.get(probe)} of ${length} rows right`)
})

describe.each(tried)('%s', (probe, rows) => {
  test.each(rows)('$name', async (way) => {
    const run = runs.get(rootOf(way))
    const recording = run?.recordings.get(probe)?.get(way.name)
    const events: Event[] = recording === undefined ? [] : await eventsOf(recording)
    expect(faultsOf(way, run?.facts.get(way.name), events, probe)).toEqual([])
    right.set(probe, (right.get(probe) ?? 0) + 1)
  })
})
