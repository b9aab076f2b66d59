import { setTimeout as sleep } from 'node:timers/promises'
import { ClockOffset, readClocks } from '@whokilled/shared/clock-offset'
import type { ClockReading } from '@whokilled/shared/event'
import type pg from 'pg'

const measureEveryMs = 30_000
const retryMs = 2_000

/**
 * The fleet's clock is Postgres': all collectors have it in common, however their own clocks stand. This one measures
 * how far its own is from it.
 */
export class FleetClock {
  private readonly database: pg.Pool
  private readonly offset = new ClockOffset()

  constructor(database: pg.Pool) {
    this.database = database
  }

  /** What has to be added to this machine's time now; null while it is not known. */
  get reading(): ClockReading | null {
    return this.offset.at(readClocks())
  }

  /** Measures until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isMeasured = await this.measure()
      await sleep(isMeasured ? measureEveryMs : retryMs, undefined, { signal }).catch(() => {})
    }
  }

  /** False if Postgres does not answer: /readyz and the batches tell of that. */
  private async measure(): Promise<boolean> {
    try {
      const asked = readClocks()
      const { rows } = await this.database.query<{ at: number }>(sql)
      const answered = readClocks()
      const [row] = rows
      return row !== undefined && this.offset.learn({ asked, answered, answer: { atMs: row.at, uncertaintyMs: 0 } })
    } catch {
      return false
    }
  }
}

const sql = 'select (extract(epoch from clock_timestamp()) * 1000)::float8 as at'
