import type pg from 'pg'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Readiness } from '../readiness.ts'

/** What the routes need. */
export interface HttpContext {
  readonly database: pg.Pool
  readonly metrics: Metrics
  readonly readiness: Readiness
  readonly log: Log
}
