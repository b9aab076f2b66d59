import type pg from 'pg'
import type { TokenCheck } from '../access/token-check.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Readiness } from '../readiness.ts'

/** What the routes need. */
export interface HttpContext {
  readonly settings: Config
  readonly tokens: TokenCheck
  readonly database: pg.Pool
  readonly metrics: Metrics
  readonly readiness: Readiness
  readonly log: Log
}
