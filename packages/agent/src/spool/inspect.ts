import { SpoolError } from '../errors.ts'
import { formatVersion, type Head, headKey, readHead, writeHead } from './head.ts'
import { type EventKey, keyFrom, parseKey } from './key.ts'
import { del, type Level, put, writeOps } from './level.ts'
import { addLoss, type Loss, lossOf } from './loss.ts'
import { type Mark, markRange, readMark } from './marks.ts'
import { takeOver } from './take-over.ts'
import { nothing, type Tally, tallied } from './tally.ts'
import { dropOrder, typeOfWorth, type Worth } from './worth.ts'

/** What is in a store. */
export interface Inspected {
  readonly head: Head
  /** What of the loss in the head was not in the one that is known. */
  readonly untold: Loss | undefined
  /** The place of the first event; that of the next where there is none. */
  readonly first: number
  readonly marks: readonly Mark[]
}

export interface InspectOptions {
  readonly folder: string
  /** What this program knows of it, where it had it open before. */
  readonly known?: Head | undefined
  /** Events that are still there though they were published or refused. */
  readonly isGone?: (key: EventKey) => boolean
  /** It was repaired, or may be the empty one after one that could not be: if it has no head something was lost. */
  readonly wasDamaged: boolean
}

/** Counts what is in a store that was opened, and writes its head. What should be there and is not is a loss. */
export async function inspect(level: Level, options: InspectOptions): Promise<Inspected> {
  const written = await readWrittenHead(level, options.folder)
  const before = options.known ?? (written === 'none' || written === 'damaged' ? undefined : written)
  const start: Head = before ?? { next: 1, ranMs: 0, tally: nothing, loss: undefined }
  const headOp = (head: Head) => put(headKey, writeHead(head))
  const former = await takeOver(level, (loss) => headOp({ ...start, loss: addLoss(start.loss, loss) }))
  const found = await countEvents(level, options.isGone)
  await readSome(level, found.first)
  const isHeadLost = before === undefined && (written === 'damaged' || options.wasDamaged || found.hasEvents)
  const lost = isHeadLost && former.taken === 0 ? unknownLoss() : missing(start.tally, found.tally)
  const head: Head = {
    ...start,
    next: Math.max(start.next, found.last + 1),
    tally: found.tally,
    loss: [start.loss, former.loss, lost].reduce(addLoss, undefined),
  }
  await writeOps(level, [headOp(head)], { sync: true })
  const marks = (await level.iterator(markRange).all()).map(([key, value]) => readMark(key, value))
  return {
    head,
    untold: options.known === undefined ? head.loss : addLoss(former.loss, lost),
    first: found.first ?? head.next,
    marks: marks.filter((mark) => mark !== undefined && mark.ranMs <= head.ranMs) as Mark[],
  }
}

async function readWrittenHead(level: Level, folder: string): Promise<Head | 'none' | 'damaged'> {
  const text = await level.get(headKey)
  if (text === undefined) return 'none'
  const head = readHead(text)
  if (head !== 'newer') return head ?? 'damaged'
  throw new SpoolError(
    'spool-newer',
    `expected a spool of format ${formatVersion} or older in ${folder}, found a newer one`,
    'A newer version of the agent has written it: run that one, or give this one a "stateFolder" of its own.',
  )
}

/** Keys alone are read; what is no event's, or gone, is deleted. */
async function countEvents(level: Level, isGone: InspectOptions['isGone']) {
  let tally: Tally = nothing
  let [first, last, hasEvents] = [undefined as number | undefined, 0, false]
  const keys = level.keys({ gte: keyFrom(0).slice(0, 1), lt: 'f' })
  try {
    for (;;) {
      const chunk = await keys.nextv(chunkKeys)
      if (chunk.length === 0) break
      const parsed: EventKey[] = []
      const gone: string[] = []
      for (const key of chunk) {
        const event = parseKey(key)
        if (event === undefined || isGone?.(event)) gone.push(key)
        else parsed.push(event)
      }
      hasEvents ||= parsed.length > 0
      first ??= parsed[0]?.seq
      last = parsed.at(-1)?.seq ?? last
      tally = tallied(tally, parsed, 1)
      if (gone.length > 0) await writeOps(level, gone.map(del), { sync: false })
    }
  } finally {
    await keys.close()
  }
  return { tally, first, last, hasEvents }
}

const chunkKeys = 1_000

/** About what is read first, for its own sake: if that ends the process it does so here, and is noted. */
async function readSome(level: Level, first: number | undefined): Promise<void> {
  if (first === undefined) return
  const values = level.values({ gte: keyFrom(first), lt: 'f', highWaterMarkBytes: readSomeBytes })
  try {
    await values.nextv(chunkKeys)
  } finally {
    await values.close()
  }
}

const readSomeBytes = 1_048_576

/** What should be there and is not. When it happened nobody knows any more. */
function missing(expected: Tally, found: Tally): Loss | undefined {
  const since = new Date().toISOString()
  const lossOfWorth = (worth: Worth) => {
    const events = expected[worth].events - found[worth].events
    return events > 0 ? lossOf({ cause: 'damaged', type: typeOfWorth[worth], events, since }) : undefined
  }
  return dropOrder.map(lossOfWorth).reduce(addLoss, undefined)
}

function unknownLoss(): Loss {
  return lossOf({ cause: 'damaged', type: 'unknown', events: 1, since: new Date().toISOString() })
}
