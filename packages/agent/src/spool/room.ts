import { chooseDrops, type Drop, type StoredKey } from './drops.ts'
import type { EventKey } from './key.ts'
import type { Level } from './level.ts'
import { type Amount, type Tally, tallied, total } from './tally.ts'
import { dropOrder, type Worth } from './worth.ts'

export interface RoomRequest<E> {
  readonly level: Level
  readonly tally: Tally
  readonly limits: Amount
  /** What is to be written. */
  readonly coming: readonly E[]
  /** The place of the first of it. */
  readonly next: number
  /** Where the search for events of a worth begins. */
  readonly from: Readonly<Record<Worth, number>>
  readonly isLent: (key: string) => boolean
  /** How many that is. */
  readonly lentOf: (worth: Worth) => number
}

export interface Room<E> {
  readonly drops: readonly (Drop & { readonly worth: Worth })[]
  /** What is to be written and is worth less than all that would have to go for it. */
  readonly refused: readonly E[]
  /** The limit that was met; undefined where there is room. */
  readonly limit: 'events' | 'bytes' | undefined
}

/** At a limit more is dropped than is needed at once: a five hundredth of it, at most this many events. */
const bulkEventsMax = 1_000
const bulkShare = 500

/** The most that is dropped in one batch, of one worth; above a limit that was lowered the rest goes with the next. */
const dropEventsMax = 5_000

/** Makes room for what comes: the oldest of what is worth least goes, be it in the spool or on its way there. */
export async function makeRoom<E extends Pick<EventKey, 'worth' | 'bytes'>>(request: RoomRequest<E>): Promise<Room<E>> {
  const { limits, coming } = request
  const drops: (Drop & { worth: Worth })[] = []
  const refused: E[] = []
  let tally = tallied(request.tally, coming, 1)
  const missing = () => beyond(total(tally), limits)
  const isEnough = () => missing().events === 0 && missing().bytes === 0
  const limit = missing().events > 0 ? 'events' : isEnough() ? undefined : 'bytes'
  for (const worth of dropOrder) {
    if (isEnough()) break
    const drop = await dropStored(request, worth, missing())
    drops.push({ ...drop, worth })
    tally = tallied(tally, drop.keys, -1)
    if (isEnough() || drop.keys.length >= dropEventsMax) break
    // The newest note of watching says what all others said.
    const ofWorth = coming.filter((event) => event.worth === worth)
    for (const event of worth === 'w' ? ofWorth.slice(0, -1) : ofWorth) {
      if (isEnough()) break
      refused.push(event)
      tally = tallied(tally, [event], -1)
    }
  }
  return { drops, refused, limit }
}

async function dropStored<E extends Pick<EventKey, 'worth'>>(
  { level, tally, limits, coming, next, from, isLent, lentOf }: RoomRequest<E>,
  worth: Worth,
  missing: Amount,
): Promise<Drop> {
  const isNewestComing = worth !== 'w' || coming.some((event) => event.worth === 'w')
  const available = tally[worth].events - lentOf(worth) - (isNewestComing ? 0 : 1)
  const none: { keys: StoredKey[]; loss: undefined; from: number } = { keys: [], loss: undefined, from: from[worth] }
  if (available <= 0) return none
  const wanted = {
    events: missing.events === 0 ? 0 : Math.max(missing.events, bulk(limits.events, bulkEventsMax)),
    bytes: missing.bytes === 0 ? 0 : Math.max(missing.bytes, bulk(limits.bytes, Number.POSITIVE_INFINITY)),
  }
  return await chooseDrops({
    ...{ level, worth, isLent, wanted, cause: 'limit', from: from[worth], to: next },
    eventsMax: Math.min(available, dropEventsMax),
  })
}

function bulk(limit: number, max: number): number {
  return Math.min(max, Math.max(1, Math.floor(limit / bulkShare)))
}

function beyond(amount: Amount, limits: Amount): Amount {
  return { events: Math.max(0, amount.events - limits.events), bytes: Math.max(0, amount.bytes - limits.bytes) }
}
