import { parseTime } from '@whokilled/shared/http-api'
import { isoOf } from '../query/timestamps.ts'
import { invalidParameters } from './problem.ts'

/** The time that an expression means at `nowMs`; `missing` if none was given. */
export function timeOf<M>(expression: string | undefined, nowMs: number, missing: M): string | M {
  if (expression === undefined) return missing
  // The schema has refused what means nothing.
  return isoOf(parseTime(expression, nowMs) ?? nowMs)
}

/** Throws a problem if the time asked about is empty. */
export function checkOrder(since: string | null, until: string | null): void {
  if (since === null || until === null || Date.parse(since) < Date.parse(until)) return
  throw invalidParameters([
    { parameter: 'since', expected: `expected a time before until (${until})`, received: since },
  ])
}
