import { z } from 'zod'
import type { ClockReading } from './event.ts'

/**
 * What a collector answers to `whokilled.clock.<host>` (NATS request and reply): the fleet's time in milliseconds since
 * 1970, and how far that may be wrong.
 */
export const ClockAnswer = z.looseObject({
  atMs: z.number(),
  uncertaintyMs: z.number().nonnegative(),
})
export type ClockAnswer = z.infer<typeof ClockAnswer>

/** Two clocks read at the same moment. */
export interface Clocks {
  /** Milliseconds since 1970; may be set. */
  readonly wallMs: number
  /** Milliseconds since any moment; never set, and stands still while the machine sleeps. */
  readonly steadyMs: number
}

/** The clocks of this process. */
export function readClocks(): Clocks {
  return { wallMs: Date.now(), steadyMs: performance.now() }
}

/** A question to the other clock, and its answer. */
export interface Exchange {
  readonly asked: Clocks
  readonly answered: Clocks
  readonly answer: ClockAnswer
}

/** As fast as a clock may be slewed (adjtime(3)), parts in one: so much an offset may have changed since. */
const driftMax = 500e-6

/** Both wall clocks are read in whole milliseconds. */
const readingMs = 1

/** The wall clock was set, or the machine slept, if it moved by more than this against the steady one. */
const stepMs = 10

/**
 * How far this machine's wall clock is from another, and how well that is known. Of several measurements the one counts
 * that is surest now, since each gets less sure with time. A clock that was set voids them.
 */
export class ClockOffset {
  private best: { readonly at: Clocks; readonly offsetMs: number; readonly uncertaintyMs: number } | undefined

  /** False if the exchange tells nothing, because the clock was set in the middle of it. */
  learn({ asked, answered, answer }: Exchange): boolean {
    if (Math.abs(moved(asked, answered)) > stepMs) return false
    const awayMs = answered.steadyMs - asked.steadyMs
    // The answer was made at some moment in between; the middle is wrong by half of it at most.
    const offsetMs = answer.atMs - (asked.wallMs + awayMs / 2)
    const uncertaintyMs = awayMs / 2 + readingMs + answer.uncertaintyMs
    const known = this.at(answered)
    if (known === null || uncertaintyMs <= known.uncertaintyMs) this.best = { at: answered, offsetMs, uncertaintyMs }
    return true
  }

  /** The offset now; null if it is not known. */
  at(now: Clocks): ClockReading | null {
    if (this.best === undefined) return null
    const { at, offsetMs, uncertaintyMs } = this.best
    const movedMs = Math.abs(moved(at, now))
    if (movedMs > stepMs) return null
    const agedMs = uncertaintyMs + movedMs + Math.max(0, now.steadyMs - at.steadyMs) * driftMax
    return { offsetMs: rounded(offsetMs), uncertaintyMs: rounded(agedMs) }
  }
}

function moved(from: Clocks, to: Clocks): number {
  return to.wallMs - from.wallMs - (to.steadyMs - from.steadyMs)
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
