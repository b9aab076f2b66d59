import type { DeathEvent, Event } from '@whokilled/shared/event'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProbeName } from './judge.ts'
import { type Kept, keptNames, readKept } from './kept.ts'
import { eventsOf } from './tell.ts'
import { deathsIn, overstated } from './weaker.ts'

/** Damaged recordings for each property, of each probe; more with LOST_LINES_RUNS=20000. */
const numRuns = Number(process.env.LOST_LINES_RUNS ?? 250)

/** Records that come late by less than the window of RecordOrder are put in order. */
const lateNsMax = 1_400_000_000n

describe.each<ProbeName>(['systemtap', 'bpftrace'])('recorded under %s', { timeout: 3_600_000 }, (probe) => {
  const recording = fc.constantFrom(...keptNames(probe))
  // Not fc.double, which is nearly always close to 0.
  const part = fc.noBias(fc.nat(9_999)).map((number) => number / 10_000)
  const places = fc.array(part, { minLength: 1, maxLength: 8 })

  async function holds(damage: fc.Arbitrary<Damage>): Promise<void> {
    const property = fc.asyncProperty(recording, damage, async (name, { change, check }) => {
      const kept = keptOf(probe, name)
      const lines = change(kept.lines)
      await check({ whole: await wholeOf(probe, name), told: await eventsOf({ ...kept, lines }), kept, lines })
    })
    await fc.assert(property, { numRuns })
  }

  test('with single lines lost the verdicts get weaker at most', async () => {
    await holds(places.map((lost) => ({ change: (lines) => without(lines, lost), check: isNotOverstated })))
  })

  test('with a stretch of lines lost the verdicts get weaker at most', async () => {
    const stretch = fc.tuple(part, fc.nat(120))
    await holds(
      stretch.map(([from, count]) => ({
        change: (lines) => {
          const at = placeOf(from, lines)
          return [...lines.slice(0, at), ...lines.slice(at + count + 1)]
        },
        check: isNotOverstated,
      })),
    )
  })

  test('lines that come late or twice change nothing', async () => {
    const lateness = fc.array(fc.bigInt({ min: 0n, max: lateNsMax }), { minLength: 1, maxLength: 40 })
    await holds(
      fc.tuple(lateness, places).map(([late, twice]) => ({
        change: (lines) => delayed([...lines, ...twice.map((place) => lines[placeOf(place, lines)] ?? '')], late),
        check: ({ whole, told }) => expect(plain(told)).toEqual(plain(whole)),
      })),
    )
  })

  test('torn lines are as if they had been lost, and whatever else comes between lines changes nothing', async () => {
    const noise = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), forged), { maxLength: 6 })
    await holds(
      fc.tuple(places, noise).map(([torn, between]) => ({
        change: (lines) => withNoise(lines, torn, between),
        check: async ({ told, kept }) => {
          const lost = await eventsOf({ ...kept, lines: without(kept.lines, torn) })
          expect(plain(told)).toEqual(plain(lost))
        },
      })),
    )
  })
})

interface Damage {
  readonly change: (lines: readonly string[]) => string[]
  readonly check: (told: Told) => void | Promise<void>
}

interface Told {
  readonly whole: readonly Event[]
  readonly told: readonly Event[]
  readonly kept: Kept
  /** Those that were left. */
  readonly lines: readonly string[]
}

const recordings = new Map<string, Kept>()
const wholes = new Map<string, Promise<Event[]>>()

function keptOf(probe: ProbeName, name: string): Kept {
  const kept = recordings.get(`${probe} ${name}`) ?? readKept(probe, name)
  if (kept === undefined) throw new Error(`Expected a recording of ${name}.`)
  recordings.set(`${probe} ${name}`, kept)
  return kept
}

function wholeOf(probe: ProbeName, name: string): Promise<Event[]> {
  const whole = wholes.get(`${probe} ${name}`) ?? eventsOf(keptOf(probe, name))
  wholes.set(`${probe} ${name}`, whole)
  return whole
}

function isNotOverstated({ whole, told, lines }: Told): void {
  expect(overstated(whole, told)).toEqual([])
  const victims = new Set(deathsIn(told).map(({ victim }) => victim.id))
  const untold = deathsIn(whole).filter((death) => !victims.has(death.victim.id) && hasEnd(death, lines))
  expect(untold.map(({ verdict }) => verdict.summary)).toEqual([])
}

/** A kill whose end is among the lines. Ends of another kind are only told of services, which lost lines may have named. */
function hasEnd({ victim, killer, exit }: DeathEvent, lines: readonly string[]): boolean {
  if (killer === null || exit.signal === null) return false
  const [, ticks = ''] = victim.id.split(':')
  const start = new RegExp(`\tstart=${ticks}\\d{7}\t`)
  return lines.some((line) => line.startsWith('exit\t') && line.includes(`\tpid=${victim.pid}\t`) && start.test(line))
}

/** The line at this part of the recording; never the first, without which nothing is watched. */
function placeOf(part: number, lines: readonly string[]): number {
  return 1 + Math.floor(part * (lines.length - 1))
}

function without(lines: readonly string[], parts: readonly number[]): string[] {
  const lost = new Set(parts.map((part) => placeOf(part, lines)))
  return lines.filter((_line, at) => !lost.has(at))
}

function delayed(lines: readonly string[], late: readonly bigint[]): string[] {
  return lines
    .map((line, at) => ({ line, comes: BigInt(line.split('\t')[2] ?? 0) + (late[at % late.length] ?? 0n) }))
    .sort((a, b) => (a.comes < b.comes ? -1 : a.comes > b.comes ? 1 : 0))
    .map(({ line }) => line)
}

/** Some lines torn where the parts say, and others that are no records between all. */
function withNoise(lines: readonly string[], torn: readonly number[], between: readonly string[]): string[] {
  const cuts = new Map(torn.map((part) => [placeOf(part, lines), part]))
  const left = lines.map((line, at) => line.slice(0, Math.floor(line.length * (cuts.get(at) ?? 1))))
  return left.flatMap((line, at) => {
    const noise = between[at % between.length]
    return noise === undefined ? [line] : [line, noise]
  })
}

/** As a record looks, with the number of another one at its end. */
const forged = fc
  .tuple(fc.constantFrom('exit', 'signal', 'exec', 'fork'), fc.nat(400), fc.nat(400))
  .map(([type, seq, pid]) => `${type}\t${seq}\t1\tpid=${pid}\tcode=9\t#${seq + 1}`)

/** The same without the run's own id, which is another one each time. */
function plain(events: readonly Event[]): string[] {
  return events.map(({ agent: { seq }, ...event }) => JSON.stringify({ ...event, seq }))
}
