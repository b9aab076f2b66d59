import type { UnreadableReason } from './spooled-value.ts'
import type { Written } from './write-batch.ts'

/** What became of events in the spool, since the agent was started. */
export class SpoolCounters {
  appended = 0
  /** Published, or refused by the server. */
  removed = 0
  refusedByDisk = 0
  /** Dropped at each limit. */
  droppedForEvents = 0
  droppedForBytes = 0
  droppedForAge = 0
  /** Found unreadable, by reason. */
  readonly unreadable: Record<UnreadableReason, number> = { checksum: 0, 'not-json': 0, 'not-an-event': 0 }
  /** Times the store was opened anew after a failure. */
  reopened = 0

  countWritten({ kept, tooOld, atLimit, limit }: Written): void {
    this.appended += kept.length
    this.droppedForAge += tooOld
    if (limit === 'bytes') this.droppedForBytes += atLimit
    else this.droppedForEvents += atLimit
  }
}
