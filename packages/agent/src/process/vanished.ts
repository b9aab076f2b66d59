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

/** Processes that a scan of /proc no longer found, or whose pid another has, and whose end no record has told of. */
export class Vanished {
  private readonly table: ProcessTable
  private readonly waiting = new Map<ProcessEntry, Missed>()
  private unseen: Missed[] = []

  /** @param table has to tell `ended` of each end */
  constructor(table: ProcessTable) {
    this.table = table
  }

  missed(processes: readonly ProcessEntry[], at: bigint, aliveAt: bigint): void {
    for (const process of processes) {
      if (!this.waiting.has(process)) this.waiting.set(process, { process, at, aliveAt })
    }
  }

  /** A process has ended in the table, by a record of it or because another has its pid. */
  ended(process: ProcessEntry, isSeen: boolean, aliveAt: bigint): void {
    const missed = this.waiting.get(process) ?? { process, at: process.endedAt ?? aliveAt, aliveAt }
    this.waiting.delete(process)
    if (!isSeen) this.unseen.push(missed)
  }

  /** Those whose end is not going to be told any more; they are ended in the table. */
  overdue(now: bigint): Missed[] {
    for (const { process, at } of this.waiting.values()) if (now - at >= graceNs) this.table.end(process, at)
    const overdue = this.unseen
    this.unseen = []
    return overdue
  }
}
