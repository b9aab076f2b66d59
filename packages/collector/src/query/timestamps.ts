/** SQL that writes a column of times as the events do: ISO 8601 in UTC with microseconds. */
export function iso(expression: string): string {
  return `to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
}

/** A time of the collector's clock as the events write theirs. */
export function isoOf(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, -1)}000Z`
}
