import { realOf, timestampOf } from '@whokilled/shared/vocabulary'
import type { Clocks } from './record/record.ts'

/**
 * Tells the wall-clock time of a record. Records carry nanoseconds since boot, which never jump; what the
 * clock on the wall says then is learnt from each heartbeat.
 */
export class BootClock {
  private offset: bigint

  constructor(clocks: Pick<Clocks, 'real' | 'boot'>) {
    this.offset = clocks.real - clocks.boot
  }

  /** Takes over what the wall clock says now; returns how far it was set since, nanoseconds, back negative. */
  learn(clocks: Pick<Clocks, 'real' | 'boot'>): bigint {
    const before = this.offset
    this.offset = clocks.real - clocks.boot
    return this.offset - before
  }

  timestamp(bootNs: bigint): string {
    return timestampOf(this.offset + bootNs)
  }

  /** Nanoseconds since boot of a timestamp, before boot negative; as long as the clock is not set, back and forth is the same. */
  bootTime(timestamp: string): bigint {
    return realOf(timestamp) - this.offset
  }
}
