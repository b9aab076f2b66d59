import type { GapCause } from '@whokilled/shared/gap'
import { durationText } from '@whokilled/shared/text/time-text'
import { millisecondsBetween } from '@whokilled/shared/vocabulary'
import type { Gap, LossLog } from '../attribution/loss-log.ts'
import type { BootClock } from '../clock.ts'
import type { CoverageDraft } from '../event-draft.ts'
import type { Dropped } from '../event-sink.ts'
import type { Hole } from '../record/order.ts'
import type { Clocks, HeartbeatRecord, StopRecord } from '../record/record.ts'

/** How often an agent says that it is watching: silence is not coverage. */
const repeatNs = 30_000_000_000n

/** A host that slept shorter than this is not worth a gap; readings of the two clocks differ by less. */
const asleepNsMin = 1_000_000_000n

/** A clock that is disciplined (adjtimex(2)) moves by less than a thousandth of this between two heartbeats. */
const clockStepNsMin = 1_000_000_000n

/** Why nobody was watching. */
export type Interruption = Pick<Gap, 'why' | 'reason'>

/** The watching of an earlier run of the agent. Times are nanoseconds since this boot, before it negative. */
export interface EarlierWatch extends Interruption {
  readonly watchedSince: bigint
  /** Until here it was watched. */
  readonly until: bigint
  /** The same as that run told it. */
  readonly untilText: string
  /** False if that run could not say itself that it ended. */
  readonly hasSaidSo: boolean
}

/**
 * What was watched and what was not, as coverage events. Times are those of records, nanoseconds since boot;
 * one object follows a host over all runs of its probe.
 */
export class Coverage {
  private readonly clock: BootClock
  private readonly losses: LossLog
  private lastTold: bigint
  private lastSeen: bigint
  /** The same as it was told, so that the next gap begins where the watching is said to have ended. */
  private lastSeenText: string
  private counted = 0
  /** How long the host has been asleep since boot; undefined until the probe's clocks have told. */
  private asleep: bigint | undefined

  constructor(clock: BootClock, losses: LossLog) {
    this.clock = clock
    this.losses = losses
    this.lastTold = losses.watchedSince
    this.lastSeen = losses.watchedSince
    this.lastSeenText = clock.timestamp(losses.watchedSince)
  }

  /** A probe has begun to print, and tells its clocks. */
  started(clocks: Clocks): void {
    this.clock.learn(clocks)
    this.asleep = clocks.boot - clocks.mono
  }

  /** An earlier run of the agent watched this host; told before the first begin. What it could not say is said now. */
  resume({ watchedSince, until, untilText, hasSaidSo, why, reason }: EarlierWatch): CoverageDraft[] {
    this.lastSeen = until
    this.lastSeenText = untilText
    if (hasSaidSo) return []
    return [{ ...this.draft('stopped', watchedSince, until, { why, reason }, 0), at: untilText, to: untilText }]
  }

  /**
   * Kills are really seen from now on. After an earlier watching the time in between is a gap.
   * @param interruption undefined: this host was never watched before, as far as is known
   */
  begin(at: bigint, interruption: Interruption | undefined): CoverageDraft[] {
    const from = this.lastSeen < at ? this.lastSeen : at
    const told = this.lastSeenText
    this.losses.add({ ...(interruption ?? justBegun), from: interruption === undefined ? 0n : from, to: at, lost: 0 })
    this.losses.restart(at)
    this.lastTold = at
    this.saw(at)
    this.counted = 0
    const watching = this.draft('watching', at, at, nothingMissing, 0)
    if (interruption === undefined) return [watching]
    const gap = this.draft('gap', from, at, interruption, 0)
    return [{ ...gap, from: millisecondsBetween(told, gap.at) < 0 ? gap.at : told }, watching]
  }

  /** Takes what the tracer counts itself; says every 30 s that the watching goes on. */
  heartbeat(record: HeartbeatRecord | StopRecord): CoverageDraft[] {
    const gaps = [...this.clockSet(record), ...this.suspended(record), ...this.skipped(record)]
    this.saw(record.time)
    if (record.time - this.lastTold < repeatNs) return gaps
    this.lastTold = record.time
    return [...gaps, this.draft('watching', this.losses.watchedSince, record.time, nothingMissing, this.losses.total)]
  }

  hole(hole: Hole): CoverageDraft {
    return this.missed({ from: hole.after, to: hole.before, lost: hole.lost, ...lostOnTheWay })
  }

  /** Events that could not be kept, because the spool was full or failed. */
  dropped(now: bigint, { since, until, count, reason }: Dropped): CoverageDraft {
    const last = until === undefined ? now : this.clock.bootTime(until)
    const to = last < now ? last : now
    const from = this.clock.bootTime(since)
    return this.missed({ from: from < to ? from : to, to, lost: count, why: 'events-dropped', reason })
  }

  /** The watching has ended, in order or not; what follows is not known until the next begin. */
  end(at: bigint, interruption: Interruption): CoverageDraft {
    this.saw(at)
    return this.draft('stopped', this.losses.watchedSince, at, interruption, this.losses.total)
  }

  private saw(at: bigint): void {
    this.lastSeen = at
    this.lastSeenText = this.clock.timestamp(at)
  }

  /** Where the clock was set forward no time passed; where it was set back, a time is told twice. */
  private clockSet(record: HeartbeatRecord | StopRecord): CoverageDraft[] {
    const expected = this.clock.timestamp(record.time)
    const step = this.clock.learn(record)
    if (step < clockStepNsMin && step > -clockStepNsMin) return []
    const far = durationText(Math.abs(Number(step / 1_000_000n)))
    const reason = `the clock was set ${step > 0n ? 'forward' : 'back'} by ${far}`
    const gap = this.missed({ from: record.time, to: record.time, lost: 0, why: 'clock-set', reason })
    return [step > 0n ? { ...gap, from: expected } : gap]
  }

  /** CLOCK_BOOTTIME goes on while a host sleeps and CLOCK_MONOTONIC does not: their distance is the time asleep. */
  private suspended({ boot, mono, time }: HeartbeatRecord | StopRecord): CoverageDraft[] {
    const before = this.asleep
    this.asleep = boot - mono
    const slept = before === undefined ? 0n : this.asleep - before
    if (slept < asleepNsMin) return []
    const reason = `the host was suspended for ${durationText(Number(slept / 1_000_000n))}`
    return [this.missed({ from: this.lastSeen, to: time, lost: 0, why: 'host-suspended', reason })]
  }

  private skipped(record: HeartbeatRecord | StopRecord): CoverageDraft[] {
    const counted = (record.skipped ?? 0) + (record.reentrant ?? 0) + (record.errors ?? 0)
    const lost = counted - this.counted
    this.counted = counted
    return lost > 0 ? [this.missed({ from: this.lastSeen, to: record.time, lost, ...skippedHits })] : []
  }

  private missed(gap: Gap): CoverageDraft {
    this.losses.add(gap)
    return this.draft('gap', gap.from, gap.to, gap, gap.lost)
  }

  private draft(
    state: CoverageDraft['state'],
    from: bigint,
    to: bigint,
    { why, reason }: { why: GapCause | null; reason: string | null },
    lostRecords: number,
  ): CoverageDraft {
    const { clock } = this
    const at = clock.timestamp(to)
    return {
      type: 'coverage',
      at,
      state,
      from: clock.timestamp(from),
      to: at,
      why,
      reason,
      lostRecords,
      key: `${state}\n${from}\n${to}\n${reason}`,
    }
  }
}

const nothingMissing = { why: null, reason: null }
const justBegun: Interruption = { why: 'just-begun', reason: 'the watching had not begun' }
const lostOnTheWay: Interruption = {
  why: 'records-lost',
  reason: 'records were lost on their way from the kernel',
}
const skippedHits: Interruption = { why: 'hits-skipped', reason: 'the tracer skipped probe hits' }
