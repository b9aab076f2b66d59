import type { DeathEvent } from '@whokilled/shared/event'
import type pg from 'pg'
import { idTimeMs, idTimeToleranceMs } from '../ingest/validate.ts'
import { isoOf } from './timestamps.ts'

/** The death event, or undefined. Its id tells the time, and so the partition. */
export async function findDeath(database: pg.Pool, id: string): Promise<DeathEvent | undefined> {
  const timeMs = idTimeMs(id)
  if (timeMs > timeMaxMs) return undefined
  const { rows } = await database.query<{ event: DeathEvent }>(sql, [
    isoOf(timeMs - idTimeToleranceMs),
    isoOf(timeMs + idTimeToleranceMs + 1),
    id,
  ])
  return rows[0]?.event
}

/** Of a JavaScript date; 48 bits reach further. */
const timeMaxMs = Date.UTC(9999, 0)

const sql = `select event from deaths where at >= $1 and at < $2 and id = $3`
