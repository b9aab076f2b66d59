import type { Event } from '@whokilled/shared/event'
import type { Dropped, EventSink } from '../event-sink.ts'
import { jsonWithin } from './event-size.ts'
import { lossText } from './loss.ts'
import type { Spool } from './spool.ts'

/** How many events, and bytes of them, may be on their way to the disk before the line waits for it. */
const unwrittenMax = 1_000
const unwrittenBytesMax = 4_194_304

/** The largest event that is kept; a collector takes no larger one unless it is told to. */
const eventBytesMax = 262_144

/** Puts events into the spool; what is lost there becomes a gap. */
export class SpoolSink implements EventSink {
  readonly counters = { shortened: 0, tooLarge: 0 }
  private readonly spool: Spool
  private unwritten = 0
  private last: Promise<void> = Promise.resolve()

  constructor(spool: Spool) {
    this.spool = spool
  }

  async accept(event: Event): Promise<void> {
    const { json, isShortened } = jsonWithin(event, eventBytesMax)
    if (isShortened) this.counters.shortened += 1
    if (json === undefined) {
      this.counters.tooLarge += 1
      this.spool.lose({ cause: 'too-large', type: event.type, events: 1, since: event.at })
      return
    }
    this.unwritten += 1
    const written = this.spool.append(json, event).then(() => {
      this.unwritten -= 1
    })
    this.last = Promise.all([this.last, written]).then(() => undefined)
    if (this.unwritten > unwrittenMax || this.spool.unwrittenBytes > unwrittenBytesMax) await written
  }

  settled(): Promise<void> {
    return this.last
  }

  takeDropped(): Dropped | undefined {
    const loss = this.spool.takeLoss()
    return loss && { count: loss.count, since: loss.since, until: loss.until, reason: lossText(loss) }
  }
}
