import type { ProcessEntry } from '../../process/entry.ts'
import type { Applied } from '../../process/table.ts'
import type { KernelRecord } from '../../record/record.ts'

export interface OomKill {
  readonly victim: ProcessEntry
  /** Nanoseconds since boot. */
  readonly at: bigint
}

/** How many are remembered. */
const killsMax = 64

/** Whom the OOM killer has chosen lately: a unit may be stopped because of one of its processes. */
export class RecentOomKills {
  private readonly kills: OomKill[] = []

  follow(record: KernelRecord, { target }: Applied): void {
    if (record.type !== 'oom' || target === undefined) return
    this.kills.unshift({ victim: target, at: record.time })
    if (this.kills.length > killsMax) this.kills.pop()
  }

  readonly latestFirst = (): Iterable<OomKill> => this.kills
}
