import type { Process } from '@whokilled/shared/process'
import type { Gap } from '../attribution/loss-log.ts'
import type { BootClock } from '../clock.ts'
import type { ProcessEntry } from '../process/entry.ts'
import { entryOf } from '../process/remembered.ts'
import type { Missed } from '../process/vanished.ts'
import type { EarlierWatch, Interruption } from './coverage.ts'
import type { LastWatch, NotedGap } from './last-watch.ts'

/** What happened, as far as it can be told, while no agent watched this host. */
export interface Absence {
  readonly earlier: EarlierWatch
  /** Main processes of services that have gone meanwhile, or whose end may not have been told. */
  readonly gone: readonly Gone[]
  /** Gaps of the earlier watching by which it knew of some of them. */
  readonly gaps: readonly Gap[]
}

export interface Gone extends Missed {
  readonly described: Process
  /** A record may still tell of its end: the tracer was there before /proc was read. */
  readonly isOfThisBoot: boolean
  /** The time that an earlier run was about to tell, and perhaps told. */
  readonly toldAt: string | undefined
  /** The gap that it was told with. */
  readonly gap: NotedGap | null
}

export interface Present {
  readonly bootId: string
  /** When /proc was read, nanoseconds since boot. */
  readonly at: bigint
  readonly clock: BootClock
  /** Whether it is there; undefined where that cannot be told. */
  readonly isAlive: (process: ProcessEntry) => boolean | undefined
}

/** Compares what the last agent knew with what is there now. */
export function absenceOf(last: LastWatch, present: Present): Absence {
  const { bootId, at, clock } = present
  const isThisBoot = last.bootId === bootId
  const seen = isThisBoot ? last.seen.boot : clock.bootTime(last.seen.at)
  const isBefore = seen < at
  const until = isBefore ? seen : at
  const untilText = isBefore ? last.seen.at : clock.timestamp(at)
  const began = clock.bootTime(last.watchedSince)
  const watchedSince = began < until ? began : until
  const gone: Gone[] = []
  for (const { process, ended } of last.processes.values()) {
    const entry = entryOf(process, bootId, clock)
    const isOfThisBoot = process.id.startsWith(`${bootId}:`)
    const isGone = ended !== undefined || !isOfThisBoot || present.isAlive(entry) === false
    if (!isGone) continue
    const missedAt = ended === undefined ? at : clock.bootTime(ended.at)
    const gap = ended?.gap ?? null
    const aliveAt = gap === null ? until : clock.bootTime(gap.from)
    gone.push({ process: entry, described: process, isOfThisBoot, at: missedAt, aliveAt, toldAt: ended?.at, gap })
  }
  const gaps = gone.flatMap(({ gap }) => (gap === null ? [] : [gapOf(gap, clock)]))
  const earlier = { watchedSince, until, untilText, hasSaidSo: last.isStopped, ...interruptionOf(last, isThisBoot) }
  return { earlier, gone, gaps }
}

function interruptionOf({ isStopped }: LastWatch, isThisBoot: boolean): Interruption {
  if (isThisBoot) {
    return isStopped
      ? { why: 'agent-stopped', reason: 'the agent was not running' }
      : { why: 'agent-killed', reason: 'the agent was killed or crashed' }
  }
  const how = isStopped ? '' : ' without an orderly end of the agent, as by a crash or a power failure'
  return { why: 'host-restarted', reason: `the host was restarted${how}` }
}

function gapOf({ from, to, why, reason }: NotedGap, clock: BootClock): Gap {
  return { from: clock.bootTime(from), to: clock.bootTime(to), lost: 0, why: why as Gap['why'], reason }
}
