import type { GapCause } from '@whokilled/shared/gap'

/** How many gaps are remembered; beyond it the two oldest become one, which makes verdicts weaker, never bolder. */
const gapsMax = 256

/** Gaps of one cause that lie this close together are one. */
const nearNs = 1_000_000_000n

/** How many sleeps of the host are remembered; a verdict looks back 90 s. */
const sleepsMax = 64

/** A probe prints a heartbeat every second that the host is awake. */
const heartbeatNs = 1_000_000_000n

/** A time in which records were lost, or nobody was watching. Times are nanoseconds since boot, before it negative. */
export interface Gap {
  readonly from: bigint
  readonly to: bigint
  /** How many records; 0: nobody was watching at all. */
  readonly lost: number
  readonly why: GapCause
  /** For people. */
  readonly reason: string
}

/**
 * No record is missing there: a host that is asleep makes none, a clock that is set forward leaves out no moment, and
 * an event that the disk refused was decided before.
 */
const hidesNothing: ReadonlySet<string> = new Set<GapCause>(['host-suspended', 'clock-set', 'events-dropped'])

/** When records were lost or nobody was watching. */
export class LossLog {
  watchedSince: bigint
  /** All that was lost since the watching began. */
  total = 0
  private gaps: Gap[] = []
  private readonly sleeps: { readonly from: bigint; readonly to: bigint }[] = []

  constructor(watchedSince: bigint) {
    this.watchedSince = watchedSince
  }

  add(gap: Gap): void {
    this.total += gap.lost
    if (hidesNothing.has(gap.why)) return
    const last = this.gaps.at(-1)
    if (last !== undefined && last.why === gap.why && gap.from <= last.to + nearNs) {
      this.gaps[this.gaps.length - 1] = joined(last, gap)
      return
    }
    this.gaps.push(gap)
    const [first, second, ...rest] = this.gaps
    if (this.gaps.length > gapsMax && first !== undefined && second !== undefined) {
      this.gaps = [joined(first, second), ...rest]
    }
  }

  /** Nothing at all happened between two times, not even a heartbeat: the host was asleep. */
  sleep(from: bigint, to: bigint): void {
    this.sleeps.push({ from: from + heartbeatNs, to })
    if (this.sleeps.length > sleepsMax) this.sleeps.shift()
  }

  /** How long the host was asleep between two times, nanoseconds. */
  asleepBetween(from: bigint, to: bigint): bigint {
    return this.sleeps.reduce((sum, sleep) => {
      const [begin, end] = [sleep.from > from ? sleep.from : from, sleep.to < to ? sleep.to : to]
      return end > begin ? sum + end - begin : sum
    }, 0n)
  }

  /** A new watching begins; what was lost in the last one is no longer counted, but still known. */
  restart(watchedSince: bigint): void {
    this.watchedSince = watchedSince
    this.total = 0
  }

  /** The gaps that touch this stretch of time and that could hide a record, oldest first. */
  gapsBetween(from: bigint, to: bigint): Gap[] {
    return this.gaps.filter((gap) => gap.to >= from && gap.from <= to)
  }
}

/** The longer one gives the reason; where one of them saw nothing at all, so does the whole. */
function joined(a: Gap, b: Gap): Gap {
  const { why, reason } = b.to - b.from > a.to - a.from ? b : a
  return {
    from: a.from < b.from ? a.from : b.from,
    to: a.to > b.to ? a.to : b.to,
    lost: a.lost === 0 || b.lost === 0 ? 0 : a.lost + b.lost,
    why,
    reason,
  }
}
