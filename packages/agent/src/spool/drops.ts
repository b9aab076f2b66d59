import { type EventKey, keyFrom, parseKey } from './key.ts'
import type { Level } from './level.ts'
import { addLoss, isTimestamp, type Loss, type LossCause, lossOf } from './loss.ts'
import type { Amount } from './tally.ts'
import { dropOrder, typeOfWorth, type Worth } from './worth.ts'

/** A key as it is in the store, and what it says. */
export interface StoredKey extends EventKey {
  readonly key: string
}

export interface DropRequest {
  readonly level: Level
  readonly cause: LossCause
  /** Where the search for events of this worth begins: before it there are none that may be dropped. */
  readonly from: number
  /** The place of the next event to be written, or up to where they are too old. */
  readonly to: number
  /** Undefined: of any worth. */
  readonly worth: Worth | undefined
  /** Events that are on their way to the server are left. */
  readonly isLent: (key: string) => boolean
  /** Enough is dropped when there are so many, and so many bytes. */
  readonly wanted: Amount
  /** No more than this. */
  readonly eventsMax: number
}

export interface Drop {
  readonly keys: readonly StoredKey[]
  readonly loss: Loss | undefined
  /** Where the next search begins. */
  readonly from: number
}

/** The oldest events of one worth, to be dropped. Their keys are enough, but for when the first and the last happened. */
export async function chooseDrops(request: DropRequest): Promise<Drop> {
  const { level, worth, isLent, wanted, eventsMax } = request
  const chosen: StoredKey[] = []
  let bytes = 0
  let from = request.from
  const isEnough = () => chosen.length >= eventsMax || (chosen.length >= wanted.events && bytes >= wanted.bytes)
  const keys = level.keys({ gte: keyFrom(request.from), lt: keyFrom(request.to) })
  try {
    while (!isEnough()) {
      const found = await keys.nextv(chunkKeys)
      if (found.length === 0) {
        from = request.to
        break
      }
      for (const key of found) {
        if (isEnough()) break
        const event = parseKey(key)
        if (event === undefined) continue
        from = event.seq + 1
        if ((worth !== undefined && event.worth !== worth) || isLent(key)) continue
        chosen.push({ ...event, key })
        bytes += event.bytes
      }
    }
  } finally {
    await keys.close()
  }
  return { keys: chosen, from, loss: await lossOfKeys(level, request.cause, chosen) }
}

const chunkKeys = 1_000

async function lossOfKeys(level: Level, cause: LossCause, keys: readonly StoredKey[]): Promise<Loss | undefined> {
  let loss: Loss | undefined
  for (const worth of dropOrder) {
    const those = keys.filter((key) => key.worth === worth)
    if (those.length === 0) continue
    // Of what tells of losses all are read: what they tell is lost with them.
    const asked = worth === 'g' ? those : [...new Set([those[0], those.at(-1)])]
    const values = (await level.getMany(asked.map((stored) => stored?.key ?? ''))).map(partsOf)
    const times = values.map(({ at }) => at).filter(isTimestamp)
    const told = values.reduce((sum, { lostRecords }) => sum + Math.max(0, lostRecords - 1), 0)
    const [since = new Date().toISOString(), until = since] = [times[0], times.at(-1)]
    const count = those.length + (worth === 'g' ? told : 0)
    loss = addLoss(loss, lossOf({ cause, type: typeOfWorth[worth], events: those.length, count, since, until }))
  }
  return loss
}

function partsOf(json: string | undefined): { at: unknown; lostRecords: number } {
  try {
    const { at, lostRecords } = JSON.parse(json ?? '') as { at?: unknown; lostRecords?: unknown }
    return { at, lostRecords: Number.isSafeInteger(lostRecords) ? (lostRecords as number) : 0 }
  } catch {
    return { at: undefined, lostRecords: 0 }
  }
}
