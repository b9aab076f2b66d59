import type { BootClock } from '../../clock.ts'

/** A stretch of time in which the clock on the wall ran evenly. Nanoseconds. */
interface Stretch {
  /** Boot time; it began between these two. */
  readonly after: bigint
  readonly by: bigint
  /** Wall-clock time at boot, as the clock had it then. */
  readonly offset: bigint
}

/** When something happened that only a wall-clock time tells of, nanoseconds since boot; a clock that was set makes a span. */
export interface Moment {
  readonly earliest: bigint
  readonly latest: bigint
}

/** A clock that is set by less is taken for one that is not: reading the clocks of one heartbeat takes time, too. */
const stepNs = 50_000_000n

/** How often a clock may have been set; more is forgotten, and then less is known. */
const stretchesMax = 64

const epoch = '1970-01-01T00:00:00.000Z'

/** Times that a file can reasonably have: 1970 to 9999. Anybody may set any other. */
const lastRealNs = 253_402_300_799_000_000_000n

/**
 * Turns times of files into record time. A host's clock is set now and then, by hours at boot where there is no clock
 * that runs on; a file written before looks older than it is. What each heartbeat tells of the clocks is kept, so
 * that a time of before such a step is not taken for one of after.
 */
export class WallTimes {
  private stretches: Stretch[] = []
  private lastLearnt = 0n

  /** What the wall clock says at a boot time, told by a heartbeat. */
  learn(boot: bigint, real: bigint): void {
    const offset = real - boot
    const last = this.stretches.at(-1)
    const difference = last === undefined ? 0n : offset - last.offset
    if (last === undefined || difference > stepNs || difference < -stepNs) {
      this.stretches.push({ after: last === undefined ? boot : this.lastLearnt, by: boot, offset })
      if (this.stretches.length > stretchesMax) this.stretches.shift()
    }
    this.lastLearnt = boot
  }

  /** The same before the first heartbeat: what the agent's clock says. */
  begin(boot: bigint, clock: BootClock): void {
    if (this.stretches.length === 0) this.learn(boot, boot - clock.bootTime(epoch))
  }

  /** When a file was written, by its time; undefined if no clock of this boot can have said so. */
  moment(real: bigint): Moment | undefined {
    if (real < 0n || real > lastRealNs) return undefined
    const possible = this.stretches.flatMap(({ after, offset }, at) => {
      const boot = real - offset
      const end = this.stretches[at + 1]?.by
      const isInside = (at === 0 || boot >= after) && (end === undefined || boot <= end)
      return isInside ? [boot] : []
    })
    const [first] = possible
    if (first === undefined) return undefined
    const earliest = possible.reduce((least, one) => (one < least ? one : least), first)
    const latest = possible.reduce((most, one) => (one > most ? one : most), first)
    return { earliest, latest }
  }
}
