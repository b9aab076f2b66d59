import type { StoredKey } from './drops.ts'
import { type EventKey, keyFrom, parseKey } from './key.ts'
import type { Level } from './level.ts'
import type { Places } from './places.ts'
import { readValue, type SpooledEvent, type UnreadableReason } from './spooled-value.ts'
import { typeOfWorth } from './worth.ts'

export interface Oldest {
  readonly events: readonly SpooledEvent[]
  readonly unreadable: readonly (StoredKey & { readonly reason: UnreadableReason })[]
}

/** The oldest events that are not held, so many and so large; they are lent. */
export async function readOldest(level: Level, count: number, places: Places, next: number): Promise<Oldest> {
  const events: SpooledEvent[] = []
  const unreadable: (StoredKey & { reason: UnreadableReason })[] = []
  const lent: [string, EventKey][] = []
  const countMax = Math.min(count, readEventsMax)
  let [bytes, isEnd] = [0, false]
  const entries = level.iterator({
    gte: keyFrom(places.readFrom),
    lt: keyFrom(next),
    highWaterMarkBytes: chunkBytes,
  })
  try {
    while (!isEnd && events.length < countMax && bytes < readBytesMax) {
      const chunk = await entries.nextv(Math.min(countMax - events.length, chunkEvents))
      isEnd = chunk.length === 0
      for (const [key, json] of chunk) {
        const parsed = parseKey(key)
        if (parsed === undefined || places.isHeld(parsed)) continue
        bytes += parsed.bytes
        const value = readValue(json, parsed)
        if (typeof value === 'string') unreadable.push({ ...parsed, key, reason: value })
        else {
          events.push({ key, id: value.id, type: typeOfWorth[parsed.worth], json, bytes: parsed.bytes })
          lent.push([key, parsed])
        }
      }
    }
  } finally {
    await entries.close()
  }
  places.lend(lent)
  return { events, unreadable }
}

/** What is read at once. */
const readEventsMax = 10_000
const readBytesMax = 1_048_576
const chunkEvents = 500
const chunkBytes = 262_144
