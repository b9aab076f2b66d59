import type { LossLog } from './attribution/loss-log.ts'
import type { BootClock } from './clock.ts'
import type { CoverageDraft } from './event-draft.ts'
import type { Dropped } from './event-sink.ts'
import type { Hole } from './record/order.ts'
import type { HeartbeatRecord, StopRecord } from './record/record.ts'

/** How often an agent says that it is watching: silence is not coverage. */
const repeatNs = 30_000_000_000n

/**
 * What was watched and what was not, as coverage events. Times are those of records, nanoseconds since boot;
 * one object follows a host over all runs of its probe.
 */
export class Coverage {
  private readonly clock: BootClock
  private readonly losses: LossLog
  private lastTold: bigint
  private lastSeen: bigint
  private counted = 0

  constructor(clock: BootClock, losses: LossLog) {
    this.clock = clock
    this.losses = losses
    this.lastTold = losses.watchedSince
    this.lastSeen = losses.watchedSince
  }

  /** Kills are really seen from now on. After an earlier watching the time in between is a gap. */
  begin(at: bigint, reason: string | null): CoverageDraft[] {
    const gap = reason === null ? [] : [this.draft('gap', this.lastSeen, at, reason, 0)]
    this.losses.restart(at)
    this.lastTold = at
    this.lastSeen = at
    this.counted = 0
    return [...gap, this.draft('watching', at, at, null, 0)]
  }

  /** Takes what the tracer counts itself; says every 30 s that the watching goes on. */
  heartbeat(record: HeartbeatRecord | StopRecord): CoverageDraft[] {
    this.clock.learn(record)
    const counted = (record.skipped ?? 0) + (record.reentrant ?? 0) + (record.errors ?? 0)
    const missed = counted - this.counted
    this.counted = counted
    const gap = missed > 0 ? [this.lost(this.lastSeen, record.time, missed, 'the tracer skipped probe hits')] : []
    this.lastSeen = record.time
    if (record.time - this.lastTold < repeatNs) return gap
    this.lastTold = record.time
    return [...gap, this.draft('watching', this.losses.watchedSince, record.time, null, this.losses.total)]
  }

  hole(hole: Hole): CoverageDraft {
    return this.lost(hole.after, hole.before, hole.lost, 'records were lost on their way from the kernel')
  }

  /** Events that could not be kept, because the spool was full or failed. */
  dropped(to: bigint, { since, count, reason }: Dropped): CoverageDraft {
    const from = this.clock.bootTime(since)
    return this.lost(from < to ? from : to, to, count, reason)
  }

  /** The watching has ended, in order or not; what follows is not known until the next begin. */
  end(at: bigint, reason: string): CoverageDraft {
    this.lastSeen = at
    return this.draft('stopped', this.losses.watchedSince, at, reason, this.losses.total)
  }

  private lost(from: bigint, to: bigint, lost: number, reason: string): CoverageDraft {
    this.losses.add(from, to, lost)
    return this.draft('gap', from, to, reason, lost)
  }

  private draft(
    state: CoverageDraft['state'],
    from: bigint,
    to: bigint,
    reason: string | null,
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
      reason,
      lostRecords,
      key: `${state}\n${from}\n${to}\n${reason}`,
    }
  }
}
