import { bpftraceProbe } from '@whokilled/agent/probe/bpftrace/bpftrace'
import { beforeAll, expect, test } from 'vitest'
import { faultsOf } from './judge.ts'
import { type LiveRun, runLive } from './live.ts'
import { eventsOf } from './tell.ts'
import { ways } from './ways.ts'

/** Every way that does not endanger this machine, on this machine, under bpftrace. */
const here = [...ways.values()].flat().filter(({ needs }) => needs === undefined)
let run: LiveRun

beforeAll(async () => {
  run = await runLive(here, bpftraceProbe({}))
}, 900_000)

test.each(here)('bpftrace: $name', async (way) => {
  const recording = run.recordings.get(way.name)
  const events = recording === undefined ? [] : await eventsOf(recording)
  expect(faultsOf(way, run.facts.get(way.name), events, 'bpftrace')).toEqual([])
})
