import type { Event } from '@whokilled/shared/event'

/** Where events go. Resolves when the next may come; a sink that cannot keep one counts it itself. */
export interface EventSink {
  accept(event: Event): Promise<void>
  /** Resolves when all that was accepted until now is kept, or counted as not kept. */
  settled?(): Promise<void>
  /** Events that were not kept since the last call, to be told as a gap. */
  takeDropped(): Dropped | undefined
}

export interface Dropped {
  readonly count: number
  /** When the first of them happened; a timestamp. */
  readonly since: string
  /** When the last of them happened; now, if left out. */
  readonly until?: string
  readonly reason: string
}
