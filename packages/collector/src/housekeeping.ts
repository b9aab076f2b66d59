import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { retry } from './backoff.ts'
import type { Config } from './config.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { makePartitions } from './store/partitions.ts'
import { prune } from './store/prune.ts'

const roundDelayMs = 3_600_000

/** Makes the partitions ahead and deletes what is too old: now, and then every hour until `signal` is aborted. */
export async function keepHouse(
  { config, metrics, log, database }: { config: Config; metrics: Metrics; log: Log; database: pg.Pool },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await retry(() => round(database, config, metrics), {
        signal,
        failed(error, delayMs) {
          metrics.retries.inc({ server: 'postgres' })
          log.warn({ err: error, delayMs }, 'housekeeping failed; trying again')
        },
      })
      await sleep(roundDelayMs, undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

async function round(database: pg.Pool, config: Config, metrics: Metrics): Promise<void> {
  await makePartitions(database)
  const pruned = await prune(database, config.retentionDays, config.deadLettersMax)
  metrics.partitionsDropped.inc(pruned.partitions)
  metrics.deadLettersDropped.inc(pruned.deadLetters)
}
