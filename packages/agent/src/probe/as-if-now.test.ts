import { expect, test } from 'vitest'
import { parseRecord } from '../record/parse.ts'
import { asIfNow } from './as-if-now.ts'
import type { Probe } from './probe.ts'

const nowMs = Date.UTC(2026, 10, 22, 12)

function probeOf(lines: readonly string[]): Probe {
  return {
    kind: 'replay',
    start: async () => ({
      async *lines() {
        yield* lines
      },
      stop: async () => undefined,
      ended: Promise.resolve({ expected: true, error: null, warnings: [] }),
    }),
  }
}

async function told(lines: readonly string[]): Promise<string[]> {
  const run = await asIfNow(probeOf(lines), nowMs).start()
  const moved: string[] = []
  for await (const line of run.lines()) moved.push(line)
  return moved
}

test('the wall clock of a recording begins now and keeps its pace; the rest is as it was recorded', async () => {
  const lines = [
    'start\t1\t1000\tv=1\tprobe=systemtap\treal=5000000000\tmono=900\tboot=1000\tnew=x\\x20y\t#1',
    'exit\t2\t2000\tpid=7\tcode=9\t#2',
    'heartbeat\t3\t1000001000\treal=6000000000\tmono=900\tboot=1000\t#3',
    'stop\t4\t1000001000\treal=6500000000\tmono=900\tboot=1000\t#4',
  ]
  const moved = await told(lines)
  const real = moved.map((line) => {
    const parsed = parseRecord(line)
    return 'record' in parsed && 'real' in parsed.record ? Number(parsed.record.real / 1_000_000n) - nowMs : undefined
  })
  expect(real).toEqual([0, undefined, 1_000, 1_500])
  expect(moved[1]).toBe(lines[1])
  const withoutClock = (line = '') =>
    line
      .replace(/real=\d+/, '')
      .split('\t')
      .sort()
  expect(moved.map(withoutClock)).toEqual(lines.map(withoutClock))
})

test('a broken line is passed on as it is, for the parser to count', async () => {
  const broken = ['start\t1\t1000\tv=1', 'heartbeat\t\t', 'stop\tgarbage', '', '\xff\x00']
  expect(await told(broken)).toEqual(broken)
})
