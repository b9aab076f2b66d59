import type { ProcessEntry } from './entry.ts'
import type { ProcessTable } from './table.ts'

/** How long, in record time, the end of a process that a scan did not find may still come as a record. */
const graceNs = 2_000_000_000n

/** A process whose end nobody saw. Times are nanoseconds since boot. */
export interface Missed {
  readonly process: ProcessEntry
  /** When it was found gone. */
  readonly at: bigint
  /** When it was last known to be there. */
  readonly aliveAt: bigint
}

/** Processes that a scan of /proc no longer found and whose end no record has told of yet. */
export class Vanished {
  private readonly table: ProcessTable
  private readonly waiting = new Map<ProcessEntry, Missed>()

  constructor(table: ProcessTable) {
    this.table = table
  }

  missed(processes: readonly ProcessEntry[], at: bigint, aliveAt: bigint): void {
    for (const process of processes) {
      if (!this.waiting.has(process)) this.waiting.set(process, { process, at, aliveAt })
    }
  }

  /** Those whose end is not going to be told any more; they are ended in the table. */
  overdue(now: bigint): Missed[] {
    const overdue: Missed[] = []
    for (const [process, missed] of this.waiting) {
      if (process.endedAt === undefined && now - missed.at < graceNs) continue
      this.waiting.delete(process)
      if (this.table.end(process, missed.at)) overdue.push(missed)
    }
    return overdue
  }
}
