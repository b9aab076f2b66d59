import type { Event } from '@whokilled/shared/event'
import type { EventSink } from '../agent.ts'
import type { Spool } from './spool.ts'

/** How many events may be on their way to the disk before the line waits for it. */
const unwrittenMax = 1_000

/** Puts events into the spool; what it refuses becomes a gap. */
export class SpoolSink implements EventSink {
  private readonly spool: Spool
  private unwritten = 0
  private dropped = 0

  constructor(spool: Spool) {
    this.spool = spool
  }

  async accept(event: Event): Promise<void> {
    this.unwritten += 1
    const written = this.spool.append(JSON.stringify(event)).then((kept) => {
      this.unwritten -= 1
      if (!kept) this.dropped += 1
    })
    if (this.unwritten > unwrittenMax) await written
  }

  takeDropped(): { count: number; reason: string } | undefined {
    if (this.dropped === 0 || this.unwritten > 0) return undefined
    const count = this.dropped
    this.dropped = 0
    return { count, reason: 'events could not be kept on disk: the spool is full or its disk fails' }
  }
}
