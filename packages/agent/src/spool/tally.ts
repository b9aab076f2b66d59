import { dropOrder, type Worth } from './worth.ts'

/** Events and their bytes, by worth. */
export type Tally = Readonly<Record<Worth, Amount>>

export interface Amount {
  readonly events: number
  readonly bytes: number
}

export const nothing: Tally = {
  w: { events: 0, bytes: 0 },
  s: { events: 0, bytes: 0 },
  t: { events: 0, bytes: 0 },
  d: { events: 0, bytes: 0 },
  g: { events: 0, bytes: 0 },
}

/** The tally with these added (`sign` 1) or taken away (-1); never below nothing. */
export function tallied(tally: Tally, events: Iterable<{ worth: Worth; bytes: number }>, sign: 1 | -1): Tally {
  const counted: Record<Worth, Amount> = { ...tally }
  for (const { worth, bytes } of events) {
    const before = counted[worth]
    counted[worth] = {
      events: Math.max(0, before.events + sign),
      bytes: Math.max(0, before.bytes + sign * bytes),
    }
  }
  return counted
}

export function total(tally: Tally): Amount {
  let [events, bytes] = [0, 0]
  for (const worth of dropOrder) {
    events += tally[worth].events
    bytes += tally[worth].bytes
  }
  return { events, bytes }
}

/** What was read from a file; undefined if it is none. */
export function readTally(value: unknown): Tally | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const read: Record<Worth, Amount> = { ...nothing }
  for (const worth of dropOrder) {
    const { events, bytes } = (value as Record<string, Partial<Amount> | null>)[worth] ?? {}
    if (!Number.isSafeInteger(events) || !Number.isSafeInteger(bytes)) return undefined
    read[worth] = { events: events as number, bytes: bytes as number }
  }
  return read
}
