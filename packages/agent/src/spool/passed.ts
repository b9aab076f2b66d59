import { bytesOf } from './key.ts'

/**
 * Stretches in which events were deleted. LevelDB keeps the tables of what was deleted until it comes past them, and maps
 * what was read of them into memory; so it is sent past them now and then.
 */
export class Passed {
  private ranges: { readonly from: number; readonly to: number; readonly bytes: number }[] = []

  /** Between these places these were deleted. */
  add(from: number, to: number, events: readonly { readonly bytes: number }[]): void {
    if (events.length > 0) this.ranges.push({ from, to, bytes: bytesOf(events) })
  }

  /** What LevelDB is to be sent past now; undefined where that is not yet worth it. */
  take(): { from: number; to: number } | undefined {
    if (bytesOf(this.ranges) < passBytes) return undefined
    const from = Math.min(...this.ranges.map((range) => range.from))
    const to = Math.max(...this.ranges.map((range) => range.to))
    this.ranges = []
    return { from, to }
  }
}

/** Each pass takes about as long, however much was deleted. */
const passBytes = 8_388_608
