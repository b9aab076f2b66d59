import { setTimeout as delay } from 'node:timers/promises'

/** Waiting is in steps of this part of a second, so that what is held back goes out evenly. */
const stepsPerSecond = 10

/**
 * A token bucket that holds a second's worth: how many events may be sent, so that one host that has many does not keep
 * a collector from all others.
 */
export class Pace {
  /** How often something waited, and how long, milliseconds. */
  readonly counters = { held: 0, heldMs: 0 }
  private readonly perSecond: number
  private tokens: number
  private filledAtMs = performance.now()

  /** @param perSecond events; Infinity: any number */
  constructor(perSecond: number) {
    this.perSecond = perSecond
    this.tokens = perSecond
  }

  /** How many of these may be sent now, at least one; waits for it. */
  async allow(wanted: number, signal: AbortSignal): Promise<number> {
    if (this.perSecond === Number.POSITIVE_INFINITY) return wanted
    const least = Math.min(wanted, Math.max(1, Math.floor(this.perSecond / stepsPerSecond)))
    this.fill()
    if (this.tokens < least) {
      const beganMs = performance.now()
      const waitMs = Math.ceil(((least - this.tokens) / this.perSecond) * 1_000)
      await delay(waitMs, undefined, { signal }).catch(() => undefined)
      this.counters.held += 1
      this.counters.heldMs += Math.round(performance.now() - beganMs)
      this.fill()
    }
    return Math.max(1, Math.min(wanted, Math.floor(this.tokens)))
  }

  /** So many were taken to be sent. */
  spend(events: number): void {
    this.tokens -= events
  }

  private fill(): void {
    const nowMs = performance.now()
    this.tokens = Math.min(this.perSecond, this.tokens + ((nowMs - this.filledAtMs) / 1_000) * this.perSecond)
    this.filledAtMs = nowMs
  }
}
