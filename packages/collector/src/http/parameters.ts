import { parseTime } from '@whokilled/shared/http-api'
import type { z } from 'zod'
import { type Cursor, decodeCursor } from '../query/cursor.ts'
import { isoOf } from '../query/timestamps.ts'
import { invalidParameters } from './problem.ts'

/** The time that an expression means at `nowMs`; `missing` if none was given. */
export function timeOf<M>(expression: string | undefined, nowMs: number, missing: M): string | M {
  if (expression === undefined) return missing
  // The schema has refused what means nothing.
  const timeMs = parseTime(expression, nowMs) ?? nowMs
  return isoOf(Math.min(Math.max(timeMs, timeMinMs), timeMaxMs))
}

/** Years of four digits, as in an event's times; no event is older than 1970. */
const timeMinMs = 0
const timeMaxMs = Date.UTC(9999, 11, 31)

/** What is asked about if no time is given. */
export const sinceDefault = '24h'
const clockAheadMaxMs = 60_000

/** The time that a question about the past means; throws a problem if it is empty. */
export function askedTime(asked: { since?: string | undefined; until?: string | undefined }, nowMs: number) {
  const since = timeOf(asked.since ?? sinceDefault, nowMs, '')
  // A host's clock may be ahead of ours, and what it told last is asked for.
  const until = timeOf(asked.until, nowMs, isoOf(nowMs + clockAheadMaxMs))
  checkOrder(since, until)
  return { since, until }
}

/** Throws a problem if the time asked about is empty. */
export function checkOrder(since: string | null, until: string | null): void {
  if (since === null || until === null || Date.parse(since) < Date.parse(until)) return
  throw invalidParameters([
    { parameter: 'since', expected: `expected a time before until (${until})`, received: since },
  ])
}

/** Where a list goes on whose rows have such ids; null: at its beginning. Throws a problem if it is no cursor of it. */
export function cursorOf(text: string | undefined, id: z.ZodType<string>): Cursor | null {
  if (text === undefined) return null
  const cursor = decodeCursor(text, id)
  if (cursor !== undefined) return cursor
  throw invalidParameters([{ parameter: 'cursor', expected: 'expected a nextCursor of this route', received: text }])
}
