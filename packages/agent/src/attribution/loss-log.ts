import type { GapCause } from '@whokilled/shared/gap'

/** How many gaps are remembered; beyond it the two oldest become one, which makes verdicts weaker, never bolder. */
const gapsMax = 256

/** Gaps of one cause that lie this close together are one. */
const nearNs = 1_000_000_000n

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
