/**
 * How many records one core attributes: the kept recordings of all ways to die, told again and again, each time as
 * other lives of the same pids. The floor in the same run is parsing the same lines and doing nothing with them.
 *
 *     npm run bench -- attribution [records]
 */
import { encodeRecord } from '@whokilled/agent/record/encode'
import { parseRecord } from '@whokilled/agent/record/parse'
import type { KernelRecord } from '@whokilled/agent/record/record'
import { keptNames, readKept } from '../test/ways/kept.ts'
import { eventsOf } from '../test/ways/tell.ts'

const wanted = Number(process.argv[2] ?? 300_000)
const rounds = 3

const recordings = keptNames('systemtap').flatMap((name) => readKept('systemtap', name) ?? [])
const lines = linesOf(wanted)
const snapshot = { bootId: 'bench', hostName: 'bench', processes: [] }
console.log(`${lines.length} records, made of the recordings of ${recordings.length} ways; best of ${rounds} rounds`)

let [floor, whole, deaths] = [0, 0, 0]
for (let round = 0; round < rounds; round += 1) {
  floor = Math.max(floor, await rate(() => lines.forEach(parseRecord)))
  whole = Math.max(
    whole,
    await rate(async () => {
      deaths = (await eventsOf({ lines, snapshot })).filter(({ type }) => type === 'death').length
    }),
  )
}

const ratio = Math.round((whole / floor) * 100) / 100
console.log(`parsed alone: ${floor} records/s`)
console.log(`parsed, ordered, attributed and told: ${whole} records/s on one core, ${ratio} of the floor`)
console.log(`deaths told: ${deaths}`)
console.log(
  JSON.stringify({
    benchmark: 'attribution',
    records: lines.length,
    parsedPerSecond: floor,
    attributedPerSecond: whole,
    ratio,
    deaths,
  }),
)

async function rate(work: () => unknown): Promise<number> {
  const began = performance.now()
  await work()
  return Math.round((lines.length / (performance.now() - began)) * 1_000)
}

/** The recordings one after the other until there are enough records; times go on, so that each life is another. */
function linesOf(count: number): string[] {
  const told: string[] = []
  let shift = 0n
  let last = 0n
  for (let at = 0; told.length < count; at = (at + 1) % recordings.length) {
    const records = (recordings[at]?.lines ?? []).map(recordOf)
    const body = told.length === 0 ? records : records.filter(({ type }) => type !== 'start')
    const first = body[0]?.time ?? 0n
    shift = last === 0n ? 0n : last + 1_000_000n - first
    for (const record of body) {
      const moved = later(record, shift)
      last = moved.time > last ? moved.time : last
      told.push(encodeRecord({ ...moved, seq: told.length + 1 }))
    }
  }
  return told
}

function recordOf(line: string): KernelRecord {
  const parsed = parseRecord(line)
  if ('rejected' in parsed) throw new Error(`Expected a record, found one ${parsed.rejected}: ${line}`)
  return parsed.record
}

/** The same record, that much later. */
function later(record: KernelRecord, by: bigint): KernelRecord {
  const moved: Record<string, unknown> = { ...record }
  for (const key of ['time', 'start', 'tstart', 'pstart', 'real', 'mono', 'boot', 'mtime']) {
    if (typeof moved[key] === 'bigint') moved[key] = moved[key] + by
  }
  return moved as unknown as KernelRecord
}
