import { SpoolError } from '../errors.ts'
import { formatVersion, type Head, headKey, readHead, writeHead } from './head.ts'
import { type EventKey, keyFrom, parseKey } from './key.ts'
import { del, faultOf, type Level, openError, openLevel, put, repairLevel, setAside, writeOps } from './level.ts'
import { addLoss, type Loss, lossOf } from './loss.ts'
import { type Mark, markRange, readMark } from './marks.ts'
import { takeOver } from './take-over.ts'
import { nothing, type Tally, tallied } from './tally.ts'
import { dropOrder, typeOfWorth, type Worth } from './worth.ts'

/** A spool that is open, and what is in it. */
export interface Loaded {
  readonly level: Level
  readonly head: Head
  /** What of the loss in the head was not in the one that is known. */
  readonly untold: Loss | undefined
  /** The place of the first event; that of the next where there is none. */
  readonly first: number
  readonly marks: readonly Mark[]
}

export interface LoadOptions {
  readonly folder: string
  /** What this program knows of it, where it had it open before. */
  readonly known?: Head | undefined
  /** Events that are still there though they were published or refused. */
  readonly isGone?: (key: EventKey) => boolean
  /** It failed to be read: 1 do not try it as it is; 2 nor to repair it, which has been done. */
  readonly skipTries?: number
  /** It was damaged, and what was done about it. */
  readonly onTrouble: (trouble: SpoolError) => void
}

/**
 * Opens the store and counts what is in it. A damaged one is repaired; one that cannot be is moved aside, and an empty
 * one takes its place. What was in it and is no more is a loss.
 */
export async function load(options: LoadOptions): Promise<Loaded> {
  const { folder, onTrouble } = options
  const tries: (() => Promise<string | undefined>)[] = [
    async () => undefined,
    () => repairLevel(folder),
    () => setAside(folder, folder),
  ]
  tries.splice(0, options.skipTries ?? 0)
  for (;;) {
    const prepare = tries.shift()
    let level: Level | undefined
    try {
      const aside = await prepare?.()
      level = await openLevel(folder)
      const loaded = await inspect(level, { ...options, wasDamaged: tries.length < 2, wasMoved: tries.length === 0 })
      if (tries.length < 2) onTrouble(damagedError(folder, aside, tries.length === 0))
      if (loaded.head.next - loaded.first < mappedEventsMax) return loaded
      // All tables were read, and LevelDB keeps 64 of them mapped until they are closed.
      await level.close()
      level = await openLevel(folder)
      return { ...loaded, level }
    } catch (error) {
      await level?.close().catch(() => undefined)
      if (error instanceof SpoolError) throw error
      if (faultOf(error) !== 'damaged' || tries.length === 0) throw openError(folder, error)
    }
  }
}

/** A spool with so many is opened anew after it was counted. */
const mappedEventsMax = 10_000

interface InspectOptions extends LoadOptions {
  readonly wasDamaged: boolean
  readonly wasMoved: boolean
}

async function inspect(level: Level, options: InspectOptions): Promise<Loaded> {
  const written = await readWrittenHead(level, options.folder)
  const before = options.known ?? (written === 'none' || written === 'damaged' ? undefined : written)
  const start: Head = before ?? { next: 1, ranMs: 0, tally: nothing, loss: undefined }
  const headOp = (head: Head) => put(headKey, writeHead(head))
  const former = await takeOver(level, (loss) => headOp({ ...start, loss: addLoss(start.loss, loss) }))
  const found = await countEvents(level, options.isGone)
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
    level,
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
async function countEvents(level: Level, isGone: LoadOptions['isGone']) {
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

function damagedError(folder: string, aside: string | undefined, wasMoved: boolean): SpoolError {
  const kept = aside === undefined ? '' : `; ${wasMoved ? 'it' : 'what could not be read'} is now ${aside}`
  return new SpoolError(
    'spool-damaged',
    `expected the spool ${folder} as it was written, found it damaged: ${wasMoved ? 'it could not be repaired' : 'it was repaired'}${kept}`,
    'What waited in it and could not be read is lost, and told as a gap. Check the disk; delete what was moved when it is of no use.',
  )
}
