import { describe, expect, test } from 'vitest'
import { faultsOf, type ProbeName } from './judge.ts'
import { keptNames, readKept } from './kept.ts'
import { eventsOf } from './tell.ts'
import { ways } from './ways.ts'

const all = [...ways.values()].flat()

describe.each<ProbeName>(['systemtap', 'bpftrace'])('recorded under %s', (probe) => {
  test.each(all)('$name', async (way) => {
    const kept = readKept(probe, way.name)
    if (kept === undefined) throw new Error(`Expected a recording of ${way.name}. Make it: test/ways/record.ts`)
    expect(faultsOf(way, kept.facts, await eventsOf(kept), probe)).toEqual([])
  })

  test('no recording is kept of a way that is no more', () => {
    expect(keptNames(probe).filter((name) => !all.some((way) => way.name === name))).toEqual([])
  })
})
