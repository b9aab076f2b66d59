import type { Event } from '@whokilled/shared/event'
import type { Dropped, EventSink } from '../event-sink.ts'
import { jsonWithin } from './event-size.ts'
import type { Spool } from './spool.ts'

/** How many events may be on their way to the disk before the line waits for it. */
const unwrittenMax = 1_000

/** The largest event that is kept; a collector takes no larger one unless it is told to. */
const eventBytesMax = 262_144

/** Puts events into the spool; what it refuses becomes a gap. */
export class SpoolSink implements EventSink {
  readonly counters = { shortened: 0, tooLarge: 0 }
  private readonly spool: Spool
  private unwritten = 0
  private dropped = 0
  private droppedSince: string | undefined
  private isRefusing = false
  private last: Promise<void> = Promise.resolve()

  constructor(spool: Spool) {
    this.spool = spool
  }

  async accept(event: Event): Promise<void> {
    const { json, isShortened } = jsonWithin(event, eventBytesMax)
    if (isShortened) this.counters.shortened += 1
    if (json === undefined) {
      this.counters.tooLarge += 1
      this.drop(event)
      return
    }
    this.unwritten += 1
    const written = this.spool.append(json).then((kept) => {
      this.unwritten -= 1
      this.isRefusing = !kept
      if (!kept) this.drop(event)
    })
    this.last = Promise.all([this.last, written]).then(() => undefined)
    if (this.unwritten > unwrittenMax) await written
  }

  settled(): Promise<void> {
    return this.last
  }

  /** Tells of a loss only when events are kept again: before that, what tells of it would be lost too. */
  takeDropped(): Dropped | undefined {
    if (this.droppedSince === undefined || this.isRefusing) return undefined
    const taken = { count: this.dropped, since: this.droppedSince, reason }
    this.dropped = 0
    this.droppedSince = undefined
    return taken
  }

  /** An event that tells of a loss takes what it tells with it. */
  private drop(event: Event): void {
    this.dropped += event.type === 'coverage' ? Math.max(1, Number(event.lostRecords)) : 1
    this.droppedSince ??= event.at
  }
}

const reason = 'events could not be kept on disk: the spool is full, or its disk is, or they were too large'
