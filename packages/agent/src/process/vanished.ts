import type { ProcessEntry } from './entry.ts'
import type { ProcessTable } from './table.ts'

/** How long, in record time, the end of a process that a scan did not find may still come as a record. */
const graceNs = 2_000_000_000n

/** Processes that a scan of /proc no longer found and whose end no record has told of yet. */
export class Vanished {
  private readonly table: ProcessTable
  private readonly waiting = new Map<ProcessEntry, bigint>()

  constructor(table: ProcessTable) {
    this.table = table
  }

  missed(processes: readonly ProcessEntry[], at: bigint): void {
    for (const process of processes) if (!this.waiting.has(process)) this.waiting.set(process, at)
  }

  /** Those whose end is not going to be told any more; they are ended in the table. */
  overdue(now: bigint): ProcessEntry[] {
    const overdue: ProcessEntry[] = []
    for (const [process, at] of this.waiting) {
      if (process.endedAt === undefined && now - at < graceNs) continue
      this.waiting.delete(process)
      if (this.table.end(process, at)) overdue.push(process)
    }
    return overdue
  }
}
