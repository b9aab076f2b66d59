import type { Arriving } from './arrivals.ts'
import type { Contents } from './contents.ts'
import { chooseDrops, type Drop } from './drops.ts'
import { headKey, writeHead } from './head.ts'
import { eventChecksum, keyOf } from './key.ts'
import { del, type Level, type Op, put, writeOps } from './level.ts'
import { addLoss } from './loss.ts'
import { type Mark, markKey } from './marks.ts'
import type { Passed } from './passed.ts'
import type { Places } from './places.ts'
import { makeRoom, type Room } from './room.ts'
import { tallied } from './tally.ts'
import type { Untold } from './untold.ts'

/** What the spool knows; a batch changes it once it is written. */
export interface Known {
  readonly contents: Contents
  readonly places: Places
  readonly untold: Untold
  readonly passed: Passed
}

export interface Written {
  readonly kept: readonly Arriving[]
  readonly tooOld: number
  /** Dropped at the limit, or not taken because of it. */
  readonly atLimit: number
  readonly limit: Room<Arriving>['limit']
}

/** Writes a batch, and in the same one what is dropped for it and what is to be told of that. */
export async function writeBatch(level: Level, batch: readonly Arriving[], known: Known): Promise<Written> {
  const { contents, places, untold, passed } = known
  const { ranMs } = contents
  const old = await tooOld(level, known, ranMs)
  const room = await roomFor(batch, level, known, old)
  const refused = new Set(room.refused)
  const kept = batch.filter((event) => !refused.has(event))
  const dropped = [...old.keys, ...room.drops.flatMap(({ keys }) => keys)]
  const loss = [
    ...[old, ...room.drops].map((drop) => drop.loss),
    ...room.refused.map((event) => untold.lossOf(event, 'limit')),
  ].reduce(addLoss, undefined)
  const isTold = kept.some((event) => untold.isToldBy(event))
  const tally = tallied(tallied(contents.tally, dropped, -1), kept, 1)
  const next = contents.next + kept.length
  const mark = contents.marks.due(next, ranMs)
  const head = { next, ranMs, tally, loss: addLoss(isTold ? untold.rest : untold.all, loss) }
  const ops: Op[] = [
    ...dropped.map(({ key }) => del(key)),
    ...kept.map((event, at) => putEvent(event, contents.next + at)),
    ...(mark === undefined ? [] : [putMark(mark)]),
    put(headKey, writeHead(head)),
  ]
  await writeOps(level, ops, { sync: true })
  contents.tally = tally
  contents.next = next
  if (mark !== undefined) contents.marks.add(mark)
  untold.add(loss)
  if (isTold) untold.wasTold()
  else if (room.refused.some((event) => untold.isToldBy(event))) untold.giveBack()
  places.dropFrom.any = old.from
  for (const { worth, from, keys } of room.drops) {
    passed.add(places.dropFrom[worth], from, keys)
    places.dropFrom[worth] = from
  }
  const atLimit = dropped.length - old.keys.length + refused.size
  return { kept, tooOld: old.keys.length, atLimit, limit: room.limit }
}

async function tooOld(level: Level, { contents, places }: Known, ranMs: number): Promise<Drop> {
  const to = contents.marks.expired(ranMs)?.next ?? 0
  const from = Math.max(places.dropFrom.any, places.first)
  if (from >= to) return { keys: [], loss: undefined, from: places.dropFrom.any }
  return await chooseDrops({
    ...{ level, cause: 'age', worth: undefined, from, to },
    isLent: (key) => places.isLent(key),
    wanted: { events: tooOldEventsMax, bytes: 0 },
    eventsMax: tooOldEventsMax,
  })
}

/** What is too old goes first. */
async function roomFor(
  coming: readonly Arriving[],
  level: Level,
  { contents, places }: Known,
  old: Drop,
): Promise<Room<Arriving>> {
  const { tally, next, limits } = contents
  const chosen = new Set(old.keys.map(({ key }) => key))
  return await makeRoom({
    ...{ level, coming, next },
    tally: tallied(tally, old.keys, -1),
    limits: { events: limits.eventsMax, bytes: limits.bytesMax },
    from: places.dropFrom,
    isLent: (key) => places.isLent(key) || chosen.has(key),
    lentOf: (worth) => places.lentOf(worth),
  })
}

function putEvent({ json, worth, bytes }: Arriving, seq: number): Op {
  return put(keyOf({ seq, worth, bytes, checksum: eventChecksum(seq, worth, json) }), json)
}

function putMark(mark: Mark): Op {
  return put(markKey(mark), String(mark.ranMs))
}

/** What is dropped for its age at once. */
const tooOldEventsMax = 1_000
